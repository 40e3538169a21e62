//! `--baseline`: failures that are known and accepted, from a file, applied to a report.
//!
//! The path and the report come in, the report with suppressed failures goes out. The rules are the
//! library's; the file and the current day are read here.

use super::files::{self, Choice};
use super::{clock, say};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use migsift::baseline::Baseline;
use migsift::catalog::{Catalog, MAX_FILE_BYTES};
use migsift::error::Error;
use migsift::report::Report;
use std::path::Path;

/// Reads the file, if there is one.
pub fn load(path: Option<&Path>, catalog: &Catalog) -> Result<Option<Baseline>, Error> {
    let Some(path) = path else { return Ok(None) };
    let name = path.display().to_string();
    let text = files::text(path, Choice::Named, MAX_FILE_BYTES).map_err(|error| {
        let line = error.line().map(|line| line.to_string());
        Error::unusable(&name, line, error.to_string())
    })?;
    Baseline::parse(&name, &text, catalog).map(Some)
}

/// Applies it as of today, in UTC like all days.
pub fn apply(baseline: Option<&Baseline>, report: &mut Report) {
    if let Some(baseline) = baseline {
        baseline.apply(report, today());
    }
}

/// Reports on standard error which rules have expired; the human report lists them itself.
pub fn report_expired(path: Option<&Path>, report: &Report) {
    let name = path.map(|path| path.display().to_string()).unwrap_or_default();
    for rule in report.baseline.iter().flatten().filter(|rule| rule.expired) {
        if let Some(until) = rule.until
            && rule.suppressed.findings() > 0
        {
            say(&format!("{name}:{}: expired after {until}; {} counts again", rule.line, rule.id));
        }
    }
}

fn today() -> Date {
    clock::now().to_zoned(TimeZone::UTC).date()
}
