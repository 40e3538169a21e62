//! CSV: one row per finding, written while the scan runs.
//!
//! The columns are NDJSON's fields, flattened: `args.NAME` for each argument that the catalogue declares,
//! `context.NAME` for the context. Lists are joined by a comma and a space. The file follows RFC 4180. Unless
//! [`Formulas::Keep`] is asked for, no cell starts a formula ([`cell`]).

pub use super::definition::Formulas;
use super::definition::{Definition, Destination, Streamed, Writer};
use super::safe::{cell, line};
use crate::catalog::Catalog;
use crate::context::{Level, State};
use crate::error::Error;
use crate::finding::Finding;
use crate::input::Signature;
use crate::report::Report;
use crate::scan::Sink;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

/// The row of the table of formats.
pub(super) const FORMAT: Definition = Definition {
    name: "csv",
    aliases: &[],
    about: "One row per finding",
    signatures: &[Signature::Text { start: "id,code,known,severity,title,code_in_log,wording", marker: "" }],
    writer: Writer::Findings(|destination, settings| {
        let name = destination.name().to_string();
        Ok(Box::new(Printer::new(destination, &name, settings.catalog, settings.formulas)?))
    }),
};

/// The columns before those of the arguments; [`FORMAT`] recognises its output by them.
const BEFORE_ARGS: [&str; 7] = ["id", "code", "known", "severity", "title", "code_in_log", "wording"];
/// The columns after those of the arguments.
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

/// Writes findings while the scan runs.
pub struct Printer<W: Write> {
    writer: csv::Writer<W>,
    target: String,
    names: Vec<Arc<str>>,
    formulas: Formulas,
}

impl<W: Write> Printer<W> {
    /// Starts the output with the header; `target` names the writer in errors.
    ///
    /// # Errors
    ///
    /// [`Error::Output`].
    pub fn new(writer: W, target: &str, catalog: &Catalog, formulas: Formulas) -> Result<Printer<W>, Error> {
        let arguments = catalog.entries.iter().flat_map(|entry| &entry.arguments);
        let names: BTreeSet<Arc<str>> = arguments.map(|argument| argument.name.clone()).collect();
        let writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(writer);
        let mut printer =
            Printer { writer, target: target.to_string(), names: names.into_iter().collect(), formulas };
        let args: Vec<String> = printer.names.iter().map(|name| format!("args.{name}")).collect();
        let header = BEFORE_ARGS.into_iter().chain(args.iter().map(String::as_str)).chain(AFTER_ARGS);
        let written = printer.writer.write_record(header);
        printer.check(written)?;
        Ok(printer)
    }

    /// Ends the output and returns the writer.
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
        let show = match self.formulas {
            Formulas::Escape => cell,
            Formulas::Keep => line,
        };
        let written = self.writer.write_record(row.iter().map(|value| show(value).into_owned()));
        self.check(written)
    }
}

impl Streamed for Printer<Box<dyn Destination>> {
    fn complete(self: Box<Self>, _: &Report) -> Result<(), Error> {
        self.finish()?.complete()
    }
}
