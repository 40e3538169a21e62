//! Times of the command line: `--since`, `--until`, `--timezone`, `--retention`.
//!
//! Texts come in, instants and zones go out. This is where the clock is read for relative times such as
//! `-3d`.

use super::args::{ScanArgs, Undated};
use super::clock;
use super::exit::UsageError;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use migsift::context::time;
use migsift::print::safe;
use migsift::scan::Filter;

/// The times of the command line, resolved.
pub struct Times {
    /// The findings that count.
    pub filter: Filter,
    /// The zone of times without one.
    pub zone: TimeZone,
    /// Since when a file must be missing to be removed from the store.
    pub oldest: Option<Timestamp>,
}

impl Times {
    /// Parses the flags of `scan` that have times, and those that filter with them.
    pub fn parse(args: &ScanArgs) -> Result<Times, UsageError> {
        let zone = time::zone(&args.timezone)
            .map_err(|message| UsageError::new(format!("--timezone: {}", safe::line(&message))))?;
        let mut filter = Filter::default();
        filter.codes = args.code.clone();
        filter.severity = args.severity.map(Into::into);
        filter.since = bound("--since", args.since.as_deref(), &zone)?;
        filter.until = bound("--until", args.until.as_deref(), &zone)?;
        filter.drop_undated = args.undated == Undated::Drop;
        let oldest = args.retention.as_deref().map(retention).transpose()?;
        Ok(Times { filter, zone, oldest })
    }
}

/// Parses the value of `--since` or `--until`.
pub fn bound(flag: &str, text: Option<&str>, zone: &TimeZone) -> Result<Option<Timestamp>, UsageError> {
    let found = text.map(|text| time::bound(text, clock::now(), zone)).transpose();
    found.map_err(|message| UsageError::new(format!("{flag}: {}", safe::line(&message))))
}

/// Parses the value of `--retention`: the time that is so long ago.
fn retention(text: &str) -> Result<Timestamp, UsageError> {
    let span = text.parse::<Span>().ok().filter(|span| span.is_positive());
    let oldest = span.and_then(|span| clock::now().to_zoned(TimeZone::UTC).checked_sub(span).ok());
    oldest.map(|oldest| oldest.timestamp()).ok_or_else(|| {
        let text = safe::line(text);
        UsageError::new(format!("--retention: `{text}` is not a duration such as 90d, 12w or 36h"))
    })
}
