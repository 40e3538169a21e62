//! History: what a store of scans says beside what was found: the run, and a trend by day and code.

use crate::catalog::Severity;
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most days of a trend, the last ones.
pub const MAX_DAYS: usize = 92;

/// What a store says of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The run that the report is of, or the last one.
    pub run: Run,
    /// What was found when, in all runs; none where nobody asked for it.
    pub trend: Option<Trend>,
}

/// A run of a scan with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Inputs that were not opened, as nothing of them had changed.
    pub unchanged: u64,
    /// Inputs whose content was known from elsewhere.
    pub known: u64,
    /// Findings that no run before had.
    pub new_findings: u64,
}

impl Run {
    /// How long it took, in seconds.
    pub fn seconds(&self) -> f64 {
        (self.ended.as_nanosecond() - self.started.as_nanosecond()) as f64 / 1e9
    }
}

/// Findings by code and day in UTC: the day that the log gives, else that of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    codes: BTreeMap<Arc<str>, TrendCode>,
}

/// The trend of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendCode {
    /// The worst severity found.
    pub severity: Severity,
    /// Findings by day.
    pub days: BTreeMap<Date, u64>,
}

impl Trend {
    /// Counts `count` findings of `id` on `day`.
    pub fn add(&mut self, id: &str, severity: Severity, day: Date, count: u64) {
        let new = || TrendCode { severity, days: BTreeMap::new() };
        let code = match self.codes.get_mut(id) {
            Some(known) => known,
            None => self.codes.entry(id.into()).or_insert_with(new),
        };
        code.severity = code.severity.max(severity);
        *code.days.entry(day).or_default() += count;
    }

    /// The first and the last day that are shown: at most [`MAX_DAYS`], the last ones.
    pub fn days(&self) -> Option<(Date, Date)> {
        let days = || self.codes.values().flat_map(|code| code.days.keys().copied());
        let last = days().max()?;
        let floor = last.checked_sub(jiff::Span::new().days(MAX_DAYS as i64 - 1)).unwrap_or(Date::MIN);
        Some((days().min()?.max(floor), last))
    }

    /// Codes with their trends: by severity, then findings on the days that are shown, then id.
    pub fn codes(&self) -> Vec<(&str, &TrendCode)> {
        let Some((first, last)) = self.days() else { return Vec::new() };
        let count = |code: &TrendCode| code.days.range(first..=last).map(|(_, count)| count).sum::<u64>();
        let mut codes: Vec<(&str, &TrendCode, u64)> =
            self.codes.iter().map(|(id, code)| (&**id, code, count(code))).collect();
        codes.retain(|(.., count)| *count > 0);
        codes.sort_by(|(a, x, m), (b, y, n)| y.severity.cmp(&x.severity).then(n.cmp(m)).then(a.cmp(b)));
        codes.into_iter().map(|(id, code, _)| (id, code)).collect()
    }

    /// Findings on days before those that are shown.
    pub fn before(&self) -> u64 {
        let Some((first, _)) = self.days() else { return 0 };
        self.codes.values().flat_map(|code| code.days.range(..first)).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_last_days_are_shown_and_the_others_counted() {
        let mut trend = Trend::default();
        assert_eq!((trend.days(), trend.before()), (None, 0));
        trend.add("603101", Severity::Error, date(2024, 1, 1), 7);
        trend.add("603101", Severity::Error, date(2024, 6, 1), 2);
        trend.add("603107", Severity::Warning, date(2024, 6, 2), 5);
        trend.add("603405", Severity::Error, date(2024, 6, 2), 3);
        assert_eq!(trend.days(), Some((date(2024, 3, 3), date(2024, 6, 2))));
        assert_eq!(trend.before(), 7);
        let ids: Vec<&str> = trend.codes().iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, ["603405", "603101", "603107"], "worst first, then most frequent on the days shown");
    }
}
