//! CSV: one row a finding, written as the scan goes.
//!
//! The columns are NDJSON's fields, flattened: `args.NAME` for each argument the catalogue knows, `context.NAME` for
//! what the surroundings say. Lists are joined by a comma and a blank. RFC 4180; no cell begins a formula, unless asked.

use super::safe::{cell, line};
use crate::catalog::Catalog;
use crate::context::{Level, State};
use crate::error::Error;
use crate::finding::Finding;
use crate::scan::Sink;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

const BEFORE_ARGS: [&str; 7] = ["id", "code", "known", "severity", "title", "code_in_log", "wording"];
const AFTER_ARGS: [&str; 14] = [
    "time",
    "path",
    "member",
    "line",
    "offset",
    "length",
    "context.database",
    "context.server",
    "context.migration",
    "context.validation",
    "context.state",
    "context.level",
    "text",
    "lossy",
];

/// Writes findings as they come.
pub struct Printer<W: Write> {
    writer: csv::Writer<W>,
    target: String,
    names: Vec<Arc<str>>,
    raw: bool,
}

impl<W: Write> Printer<W> {
    /// Begins the output with the header; `target` names the writer in errors. If `raw`, what a spreadsheet would take
    /// for a formula stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    pub fn new(writer: W, target: &str, catalog: &Catalog, raw: bool) -> Result<Printer<W>, Error> {
        let arguments = catalog.entries.iter().flat_map(|entry| &entry.arguments);
        let names: BTreeSet<Arc<str>> = arguments.map(|argument| argument.name.clone()).collect();
        let writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(writer);
        let mut printer =
            Printer { writer, target: target.to_string(), names: names.into_iter().collect(), raw };
        let args: Vec<String> = printer.names.iter().map(|name| format!("args.{name}")).collect();
        let header = BEFORE_ARGS.into_iter().chain(args.iter().map(String::as_str)).chain(AFTER_ARGS);
        let written = printer.writer.write_record(header);
        printer.check(written)?;
        Ok(printer)
    }

    /// Ends the output and gives the writer back.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    pub fn finish(mut self) -> Result<W, Error> {
        self.writer.flush().map_err(|error| Error::output(&self.target, error))?;
        let target = self.target;
        self.writer.into_inner().map_err(|error| Error::output(target, io::Error::from(error.error().kind())))
    }

    fn check(&self, written: csv::Result<()>) -> Result<(), Error> {
        written.map_err(|error| Error::output(&self.target, error.into()))
    }
}

impl<W: Write + Send> Sink for Printer<W> {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        let context = &finding.context;
        let plain = |value: Option<&str>| value.unwrap_or_default().to_string();
        let mut row = vec![
            finding.id.to_string(),
            plain(finding.code.as_deref()),
            finding.known.to_string(),
            finding.severity.to_string(),
            finding.title.to_string(),
            finding.code_in_log.to_string(),
            finding.wording.name().to_string(),
        ];
        row.extend(self.names.iter().map(|name| {
            let value = finding.args.iter().find(|(known, _)| known == name);
            value.map(|(_, value)| value.to_string()).unwrap_or_default()
        }));
        row.extend([
            finding.time.map(|time| time.to_string()).unwrap_or_default(),
            finding.origin.path.to_string_lossy().into_owned(),
            plain(finding.origin.member.as_deref()),
            finding.line.to_string(),
            finding.offset.to_string(),
            finding.length.to_string(),
            plain(context.database.as_deref()),
            plain(context.server.as_deref()),
            plain(context.migration.as_deref()),
            plain(context.validation.as_deref()),
            plain(context.state.as_ref().map(State::as_str)),
            plain(context.level.as_ref().map(Level::as_str)),
            finding.text.clone(),
            finding.lossy.to_string(),
        ]);
        let show = if self.raw { line } else { cell };
        let written = self.writer.write_record(row.iter().map(|value| show(value).into_owned()));
        self.check(written)
    }
}
