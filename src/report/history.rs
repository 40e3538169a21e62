//! What a history adds to a report: the run that it is of, and how findings came by day.

use crate::context::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// A run of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// When it began and ended.
    pub times: [Time; 2],
    /// Inputs that were not opened, as nothing has changed.
    pub unchanged: u64,
    /// Inputs whose content was known.
    pub known: u64,
    /// Findings that the history did not have.
    pub new_findings: u64,
}

impl Run {
    /// How long it took, in milliseconds.
    pub fn milliseconds(&self) -> i64 {
        let [started, ended] = self.times.map(|time| time.instant.as_millisecond());
        (ended - started).max(0)
    }
}

/// Findings by code and day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    /// For each entry's id, how many there were on each day, counted since 1970 in UTC.
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
