//! Outputs: one scan, printed in every format that was asked for.
//!
//! Findings come in as a [`Sink`], the report at the end. CSV and NDJSON print findings as they come, other formats wait
//! for the report. An output that fails does not end the others: each is written whole or not at all, and the scan goes
//! on as long as one output is left. The formats themselves are in the library.

use super::args::{FailOn, Format, OutputArgs};
use super::exit::{UsageError, fails};
use super::writer::{self, Medium, OutputWriter, layout};
use jiff::Timestamp;
use migsift::catalog::{Catalog, Entry};
use migsift::context::Time;
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::print::human::{self, Layout};
use migsift::print::{csv, html, json, junit, markdown, ndjson, prometheus, safe};
use migsift::report::{CatalogStamp, CodeReport, Report};
use migsift::scan::{Encode, RowSink, Sink};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The outputs of a scan.
pub struct Outputs {
    open: Vec<OpenOutput>,
    /// The error to end with, if an output has failed.
    error: Option<Error>,
}

/// An output that is being written.
enum OpenOutput {
    Ndjson(ndjson::Printer<OutputWriter>),
    Csv(Box<csv::Printer<OutputWriter>>),
    /// Waits for the report.
    Report(ReportFormat, OutputWriter),
}

/// A format that is made from the report.
enum ReportFormat {
    Human(Layout),
    Json,
    Html,
    Markdown,
    Junit,
    Prometheus,
}

/// Which outputs are made, and from what.
#[derive(Clone, Copy)]
pub struct OutputRequest<'a> {
    pub args: &'a OutputArgs,
    /// Whether cells of CSV are not escaped.
    pub csv_raw: bool,
    pub catalog: &'a Catalog,
    /// Whether findings of an entry pass the filters; the others are no test cases.
    pub selected: &'a dyn Fn(&Entry) -> bool,
    pub fail_on: FailOn,
    /// The id of the key under which names are tokens, if they are.
    pub redaction: Option<&'a str>,
    /// Whether nothing is printed on standard output.
    pub silent: bool,
}

/// Checks that no two outputs are the same file, `other` included.
pub fn check_conflicts(args: &OutputArgs, other: Option<&PathBuf>) -> Result<(), UsageError> {
    let files = args.output.iter().chain(args.report.iter().map(|(_, path)| path)).chain(other);
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in files {
        let canonical = canonical(path);
        if seen.contains(&canonical) {
            let path = path.to_string_lossy();
            return Err(UsageError::new(format!("two outputs to the same file: {}", safe::line(&path))));
        }
        seen.push(canonical);
    }
    Ok(())
}

/// The canonical path of a file, even if it does not exist yet.
fn canonical(path: &Path) -> PathBuf {
    let in_folder = || Some(writer::folder(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(in_folder).unwrap_or_else(|| path.to_path_buf())
}

impl Outputs {
    /// Opens all outputs that were asked for.
    pub fn new(request: OutputRequest<'_>) -> Result<Outputs, Error> {
        let args = request.args;
        let mut open = Vec::new();
        if !request.silent {
            open.push(OpenOutput::new(args.format(), args.output.as_deref(), request)?);
        }
        for (format, path) in &args.report {
            open.push(OpenOutput::new(*format, Some(path), request)?);
        }
        Ok(Outputs { open, error: None })
    }

    /// The sink for findings, if an output prints them as they come.
    pub fn sink(&mut self) -> Option<&mut dyn Sink> {
        let prints_findings = |output: &OpenOutput| !matches!(output, OpenOutput::Report(..));
        if self.open.iter().any(prints_findings) { Some(self) } else { None }
    }

    /// Ends all outputs; returns the first error when all are done.
    pub fn finish(mut self, report: &Report, request: OutputRequest<'_>) -> Result<(), Error> {
        for output in std::mem::take(&mut self.open) {
            if let Err(error) = output.finish(report, request) {
                self.keep(error);
            }
        }
        self.error.map_or(Ok(()), Err)
    }

    /// Keeps the first error. A closed pipe is no news, so any other error replaces it.
    fn keep(&mut self, error: Error) {
        let is_closed_pipe = |error: &Error| matches!(error, Error::Output { source, .. } if source.kind() == ErrorKind::BrokenPipe);
        if self.error.as_ref().is_none_or(|first| is_closed_pipe(first) && !is_closed_pipe(&error)) {
            self.error = Some(error);
        }
    }

    /// Writes to each output. One that fails is closed; an error is returned when none is left.
    fn for_each(&mut self, mut write: impl FnMut(&mut OpenOutput) -> Result<(), Error>) -> Result<(), Error> {
        let mut at = 0;
        while at < self.open.len() {
            match write(&mut self.open[at]) {
                Ok(()) => at += 1,
                Err(error) => {
                    self.open.remove(at);
                    self.keep(error);
                }
            }
        }
        match self.error.take_if(|_| self.open.is_empty()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Sink for Outputs {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        self.for_each(|output| match output {
            OpenOutput::Csv(printer) => printer.finding(finding),
            OpenOutput::Ndjson(_) | OpenOutput::Report(..) => Ok(()),
        })
    }

    fn wants_findings(&self) -> bool {
        self.open.iter().any(|output| matches!(output, OpenOutput::Csv(_)))
    }

    fn row_sink(&mut self) -> Option<&mut dyn RowSink> {
        let is_ndjson = |output: &OpenOutput| matches!(output, OpenOutput::Ndjson(_));
        if self.open.iter().any(is_ndjson) { Some(self) } else { None }
    }
}

impl RowSink for Outputs {
    fn encoder(&self) -> Encode {
        ndjson::encode
    }

    fn rows(&mut self, rows: &[u8]) -> Result<(), Error> {
        self.for_each(|output| match output {
            OpenOutput::Ndjson(printer) => printer.rows(rows),
            OpenOutput::Csv(_) | OpenOutput::Report(..) => Ok(()),
        })
    }
}

impl OpenOutput {
    fn new(format: Format, path: Option<&Path>, request: OutputRequest<'_>) -> Result<OpenOutput, Error> {
        let writer = OutputWriter::new(path)?;
        let name = writer.name().to_string();
        let format = match format {
            Format::Ndjson => {
                let stamp = CatalogStamp::new(request.catalog);
                let printer = ndjson::Printer::new(writer, &name, &stamp, request.redaction)?;
                return Ok(OpenOutput::Ndjson(printer));
            }
            Format::Csv => {
                let printer = csv::Printer::new(writer, &name, request.catalog, request.csv_raw)?;
                return Ok(OpenOutput::Csv(Box::new(printer)));
            }
            Format::Human => {
                let medium = path.map_or(Medium::Stdout, |_| Medium::File);
                let layout = layout(request.args.color, medium);
                ReportFormat::Human(Layout { plan: request.args.plan, ..layout })
            }
            Format::Json => ReportFormat::Json,
            Format::Html => ReportFormat::Html,
            Format::Markdown => ReportFormat::Markdown,
            Format::Junit => ReportFormat::Junit,
            Format::Prometheus => ReportFormat::Prometheus,
        };
        Ok(OpenOutput::Report(format, writer))
    }

    fn finish(self, report: &Report, request: OutputRequest<'_>) -> Result<(), Error> {
        let writer = match self {
            OpenOutput::Ndjson(printer) => printer.finish(report)?,
            OpenOutput::Csv(printer) => printer.finish()?,
            OpenOutput::Report(format, mut writer) => {
                // The library reads no clock.
                let now = Time { instant: Timestamp::now(), digits: 3 };
                writer.put(|writer| match format {
                    ReportFormat::Human(layout) => human::write_report(report, layout, writer),
                    ReportFormat::Json => json::write_report(report, writer),
                    ReportFormat::Html => html::write_report(report, Some(now), writer),
                    ReportFormat::Markdown => markdown::write_report(report, writer),
                    ReportFormat::Junit => {
                        let entries = request.catalog.entries.iter().map(|entry| &**entry);
                        let entries = entries.filter(|entry| (request.selected)(entry)).collect();
                        let fails = &|code: &CodeReport| fails(request.fail_on, code);
                        junit::write_report(report, &junit::Cases { entries, fails }, writer)
                    }
                    ReportFormat::Prometheus => prometheus::write_report(report, writer),
                })?;
                writer
            }
        };
        writer.finish()
    }
}
