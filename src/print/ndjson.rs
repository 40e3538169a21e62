//! NDJSON: one object a line, written as the scan goes.
//!
//! The run comes first, then findings in order, then each input that was not read whole, and the summary last. Nothing
//! is kept but the writer and the line it gets next.

use super::json::write_line;
use crate::error::Error;
use crate::finding::Finding;
use crate::record::{FindingRecord, InputRecord, RunRecord, SummaryRecord};
use crate::report::{CatalogStamp, Report};
use crate::scan::Sink;
use serde::Serialize;
use std::io::{self, Write};

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
}
