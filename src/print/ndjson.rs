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
use crate::scan::{Encode, Sink};
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

    fn encode(&self) -> Option<Encode> {
        Some(encode)
    }

    fn rows(&mut self, rows: &[u8]) -> Result<(), Error> {
        self.writer.write_all(rows).map_err(|error| Error::output(&self.target, error))
    }

    fn takes_findings(&self) -> bool {
        false
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
