//! NDJSON: one object a line, written as the scan goes.
//!
//! The run comes first, then findings in order, then each input that was not read whole, and the summary last. Nothing
//! is kept but the writer and the line it gets next.

use super::json::{CatalogRecord, FindingRecord, ProblemRecord, TOOL, VERSION, write_line};
use crate::error::Error;
use crate::finding::Finding;
use crate::report::{CatalogStamp, Report, SCHEMA_VERSION};
use crate::scan::Sink;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Writes findings as they come.
pub struct Printer<W> {
    writer: W,
    target: String,
    line: Vec<u8>,
}

#[derive(Serialize)]
struct RunRecord<'a> {
    r#type: &'static str,
    schema_version: u32,
    tool: &'static str,
    version: &'static str,
    catalog: CatalogRecord<'a>,
}

#[derive(Serialize)]
struct InputRecord<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    problem: ProblemRecord<'a>,
}

#[derive(Serialize)]
struct SummaryRecord<'a> {
    r#type: &'static str,
    complete: bool,
    inputs: CountsRecord,
    findings: u64,
    failures: u64,
    codes: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct CountsRecord {
    scanned: u64,
    partial: u64,
    skipped: u64,
    failed: u64,
    bytes: u64,
}

impl<W: Write> Printer<W> {
    /// Begins the output; `target` names the writer in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    pub fn new(writer: W, target: &str, catalog: &CatalogStamp) -> Result<Printer<W>, Error> {
        let mut printer = Printer { writer, target: target.to_string(), line: Vec::new() };
        let run = RunRecord {
            r#type: "run",
            schema_version: SCHEMA_VERSION,
            tool: TOOL,
            version: VERSION,
            catalog: catalog.into(),
        };
        printer.put(&run)?;
        Ok(printer)
    }

    /// Ends the output with the inputs that were not read whole and the summary; gives the writer back.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    pub fn finish(mut self, report: &Report) -> Result<W, Error> {
        for problem in &report.inputs.problems {
            self.put(&InputRecord { r#type: "input", problem: problem.into() })?;
        }
        let (inputs, totals) = (&report.inputs, report.totals());
        self.put(&SummaryRecord {
            r#type: "summary",
            complete: inputs.complete(),
            inputs: CountsRecord {
                scanned: inputs.scanned,
                partial: inputs.partial,
                skipped: inputs.skipped,
                failed: inputs.failed,
                bytes: inputs.bytes,
            },
            findings: totals.findings,
            failures: totals.failures,
            codes: report.codes.iter().map(|code| (&*code.id, code.count)).collect(),
        })?;
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
