//! NDJSON: one object a line, written as the scan goes.
//!
//! The run comes first, then findings in order, then each input that was not read whole, and the summary last. Nothing
//! is kept but the writer and the line it gets next. Findings become lines on the threads that find them ([`encode`]).

use super::json::write_line;
use super::safe::Compact;
use crate::error::Error;
use crate::finding::Finding;
use crate::record::{FindingRecord, InputRecord, RunRecord, SummaryRecord};
use crate::report::{CatalogStamp, Report};
use crate::scan::{Encode, RowSink, Sink};
use memchr::memmem::Finder;
use serde::Serialize;
use std::io::{self, Write};
use std::sync::LazyLock;

/// The number of a finding's line, and what stands around it.
static LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"0,\"offset\":"));

/// Writes findings as they come.
pub struct Printer<W> {
    writer: W,
    target: String,
    line: Vec<u8>,
}

impl<W: Write> Printer<W> {
    /// Begins the output; `target` names the writer in errors, `redaction` the key under which names are tokens, if they
    /// are.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    pub fn new(
        writer: W,
        target: &str,
        catalog: &CatalogStamp,
        redaction: Option<&str>,
    ) -> Result<Printer<W>, Error> {
        let mut printer = Printer { writer, target: target.to_string(), line: Vec::new() };
        printer.put(&RunRecord::new(catalog.into(), redaction.map(Into::into)))?;
        Ok(printer)
    }

    /// Ends the output with the inputs that were not read whole and the summary; gives the writer back.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    pub fn finish(mut self, report: &Report) -> Result<W, Error> {
        for problem in &report.inputs.problems {
            self.put(&InputRecord::from(problem))?;
        }
        self.put(&SummaryRecord::from(report))?;
        Ok(self.writer)
    }

    fn put<T: Serialize>(&mut self, record: &T) -> Result<(), Error> {
        let result: io::Result<()> = write_line(record, &mut self.line, &mut self.writer);
        result.map_err(|error| Error::output(&self.target, error))
    }
}

impl<W: Write + Send> Sink for Printer<W> {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        self.put(&FindingRecord::from(finding))
    }

    fn wants_findings(&self) -> bool {
        false
    }

    fn row_sink(&mut self) -> Option<&mut dyn RowSink> {
        Some(self)
    }
}

impl<W: Write + Send> RowSink for Printer<W> {
    fn encoder(&self) -> Encode {
        encode
    }

    fn rows(&mut self, rows: &[u8]) -> Result<(), Error> {
        self.writer.write_all(rows).map_err(|error| Error::output(&self.target, error))
    }
}

/// Appends the line of `finding` to `rows`, without the number of its own line; gives the place where that goes.
///
/// # Panics
///
/// If the record has no such number, which its schema does not let happen.
pub fn encode(finding: &Finding, rows: &mut Vec<u8>) -> usize {
    let (record, start) = (FindingRecord { line: 0, ..finding.into() }, rows.len());
    let written = record.serialize(&mut serde_json::Serializer::with_formatter(&mut *rows, Compact));
    rows.push(b'\n');
    // Quotes in strings are escaped and arguments are no numbers, so that this is the member and nothing else.
    let place = written.ok().and_then(|()| LINE.find(&rows[start..])).map(|at| start + at);
    let place = place.unwrap_or_else(|| unreachable!("a finding has a line"));
    rows.remove(place);
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ArgValue;
    use crate::input::Window;
    use crate::{catalog, context, finding, matcher};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn finding() -> Finding {
        let window = Window::whole(b"603104: Missing Replication Role.");
        let matcher = matcher::Matcher::new(catalog::builtin());
        let origin = Arc::new(crate::source::Origin::path("a.log".as_ref()));
        let builder = finding::Builder { matcher: &matcher, origin };
        let found = matcher.scan(&window).remove(0);
        builder.build(&found, &window, &context::ContextReader::new(&window, &jiff::tz::TimeZone::UTC), 1)
    }

    proptest! {
        /// A row with its line is what is written of the finding at once, whatever its texts say.
        #[test]
        fn rows_have_one_place_for_the_line(
            line in any::<u64>(),
            texts in prop::collection::vec(prop_oneof!["[0,\":a-z\\\\]{0,20}", Just("0,\"offset\":".to_string()), Just(",\"line\":0,\"offset\":1".to_string())], 4),
            names in prop::sample::subsequence(vec!["line", "offset", "0", "server"], 0..=4),
        ) {
            let value = |name: &&str| (Arc::from(*name), ArgValue::One(texts[0].clone()));
            let mut finding = Finding { line, title: texts[1].as_str().into(), text: texts[2].clone(), ..finding() };
            finding.args = names.iter().map(value).collect();
            finding.context.database = Some(texts[3].clone());
            let mut rows = b"before\n".to_vec();
            let place = encode(&finding, &mut rows);
            let row = [&rows[7..place], line.to_string().as_bytes(), &rows[place..]].concat();
            let mut want = Vec::new();
            write_line(&FindingRecord::from(&finding), &mut Vec::new(), &mut want).expect("a vector takes it");
            prop_assert_eq!(String::from_utf8_lossy(&row), String::from_utf8_lossy(&want));
        }
    }
}
