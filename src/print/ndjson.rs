//! NDJSON: one object per line, written while the scan runs.
//!
//! The run comes first, then the findings in order, then each input that was not read to its end, and the
//! summary last. The printer keeps only the writer and a buffer for one line.
//!
//! Serializing is the costly part, so the threads that find something also encode it ([`encode`]); the
//! printer copies their rows. One number is not known there: a worker reads a window from the middle of a
//! file and knows how many line breaks its window has, but not how many come before it. So a row is encoded
//! without its line number, and the place for the number is returned with it.

use super::definition::{Definition, Destination, Streamed, Writer};
use super::json::write_line;
use super::safe::Compact;
use crate::error::Error;
use crate::finding::Finding;
use crate::input::Signature;
use crate::record::{FindingRecord, InputRecord, RunRecord, SummaryRecord};
use crate::report::{CatalogStamp, Report};
use crate::scan::{Encode, RowSink, Sink};
use memchr::memmem::Finder;
use serde::Serialize;
use std::io::{self, Write};
use std::sync::LazyLock;

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "ndjson",
    aliases: &["jsonl", "json-lines"],
    about: "One JSON object per line, findings as they are found",
    signatures: &[Signature::Text { start: "{", marker: "\"tool\":\"migsift\"" }],
    writer: Writer::Findings(|destination, settings| {
        let (name, stamp) = (destination.name().to_string(), CatalogStamp::new(settings.catalog));
        Ok(Box::new(Printer::new(destination, &name, &stamp, settings.redaction)?))
    }),
};

/// The line number 0 as it is encoded, with the key after it.
static LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"0,\"offset\":"));

/// Writes findings while the scan runs.
pub struct Printer<W> {
    writer: W,
    target: String,
    line: Vec<u8>,
}

impl<W: Write> Printer<W> {
    /// Starts the output; `target` names the writer in errors, `redaction` is the id of the key under which
    /// names are tokens, if they are.
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

    /// Writes the inputs that were not read to their end and the summary; returns the writer.
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

impl Streamed for Printer<Box<dyn Destination>> {
    fn complete(self: Box<Self>, report: &Report) -> Result<(), Error> {
        self.finish(report)?.complete()
    }
}

/// Appends the row of `finding` to `rows` without its line number. Returns the place for that number.
///
/// # Panics
///
/// If the record has no line number, which its schema rules out.
pub fn encode(finding: &Finding, rows: &mut Vec<u8>) -> usize {
    let (record, start) = (FindingRecord { line: 0, ..finding.into() }, rows.len());
    let written = record.serialize(&mut serde_json::Serializer::with_formatter(&mut *rows, Compact));
    rows.push(b'\n');
    // Quotes in strings are escaped and arguments are never numbers, so only the member itself matches.
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
        /// A row with its line number equals the line that is written at once, whatever its texts are.
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
            write_line(&FindingRecord::from(&finding), &mut Vec::new(), &mut want).expect("a vector never fails");
            prop_assert_eq!(String::from_utf8_lossy(&row), String::from_utf8_lossy(&want));
        }
    }
}
