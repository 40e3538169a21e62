//! `--baseline`: what is known and accepted, from a file, applied to a report.

use super::{files, say};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};
use migsift::baseline::Baseline;
use migsift::catalog::{Catalog, MAX_FILE_BYTES};
use migsift::error::Error;
use migsift::report::Report;
use std::path::Path;

/// Reads the file, if one is named.
pub fn load(path: Option<&Path>, catalog: &Catalog) -> Result<Option<Baseline>, Error> {
    let Some(path) = path else { return Ok(None) };
    let name = path.display().to_string();
    let bytes =
        files::bytes(path, true, MAX_FILE_BYTES).map_err(|message| Error::unusable(&name, None, message))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
        Error::unusable(&name, Some(line.to_string()), format!("not UTF-8 at byte {valid}"))
    })?;
    Baseline::parse(&name, &text, catalog).map(Some)
}

/// Applies it as of today, in UTC as everywhere.
pub fn apply(baseline: Option<&Baseline>, report: &mut Report) {
    if let Some(baseline) = baseline {
        baseline.apply(report, today());
    }
}

/// Says on standard error which rules have expired; the human report says so itself.
pub fn tell(path: Option<&Path>, report: &Report) {
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
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
