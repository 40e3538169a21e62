//! The part of a report that comes from a history: its run, and the number of findings per day.

use crate::context::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// A run that a history has recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// When it started.
    pub started: Time,
    /// When it ended.
    pub ended: Time,
    /// Inputs that were not opened, because nothing had changed.
    pub unchanged: u64,
    /// Inputs with known content.
    pub known: u64,
    /// Findings that were not in the history before.
    pub new_findings: u64,
}

impl Run {
    /// Its duration in milliseconds.
    pub fn milliseconds(&self) -> i64 {
        let (started, ended) = (self.started.instant, self.ended.instant);
        (ended.as_millisecond() - started.as_millisecond()).max(0)
    }
}

/// Findings by code and day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    /// For each entry's id, the number of findings on each day; days are counted since 1970 in UTC.
    pub days: BTreeMap<Arc<str>, BTreeMap<i64, u64>>,
}

impl Trend {
    /// Counts a finding at `second` since 1970.
    pub fn add(&mut self, id: &Arc<str>, second: i64) {
        let days = match self.days.get_mut(id) {
            Some(days) => days,
            None => self.days.entry(id.clone()).or_default(),
        };
        *days.entry(second.div_euclid(DAY)).or_default() += 1;
    }
}
