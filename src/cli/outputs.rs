//! Outputs: one pass of a scan, printed in as many formats as were asked for.
//!
//! Formats that print findings as they come take them from the scan, the others wait for the report. An output that
//! fails does not take the others along: each is written whole or not at all, and the scan goes on as long as somebody
//! listens.

use super::args::{FailOn, Format, OutputArgs};
use super::exit::fails;
use super::output::{Output, layout};
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
    outputs: Vec<Target>,
    /// The error to end with, if one of them has failed.
    failed: Option<Error>,
}

/// An output in the making.
enum Target {
    Ndjson(ndjson::Printer<Output>),
    Csv(Box<csv::Printer<Output>>),
    /// Waits for the report.
    Report(Form, Output),
}

/// A format that is made from the report.
enum Form {
    Human(Layout),
    Json,
    Html,
    Markdown,
    Junit,
    Prometheus,
}

/// What the outputs are made with.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What the command line says.
    pub args: &'a OutputArgs,
    /// Whether CSV is left as it is.
    pub csv_raw: bool,
    /// What was looked for.
    pub catalog: &'a Catalog,
    /// Whether it was looked for an entry.
    pub looked: &'a dyn Fn(&Entry) -> bool,
    /// What fails the run.
    pub fail_on: FailOn,
    /// The id of the key under which names are tokens, if they are.
    pub redaction: Option<&'a str>,
    /// Whether nothing goes to standard output.
    pub silent: bool,
}

/// Whether `args` and `other` name one file twice; in words.
pub fn clash(args: &OutputArgs, other: Option<&PathBuf>) -> Option<String> {
    let named = args.output.iter().chain(args.report.iter().map(|(_, path)| path)).chain(other);
    let mut places: Vec<PathBuf> = Vec::new();
    for path in named {
        let place = place(path);
        if places.contains(&place) {
            let path = path.to_string_lossy();
            return Some(format!("two outputs to the same file: {}", safe::line(&path)));
        }
        places.push(place);
    }
    None
}

/// Where a file is or will be, whatever it is called.
fn place(path: &Path) -> PathBuf {
    let beside = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_path_buf())
}

impl Outputs {
    /// Begins all outputs that the command line asks for.
    pub fn new(wanted: Wanted<'_>) -> Result<Outputs, Error> {
        let args = wanted.args;
        let mut outputs = Vec::new();
        if !wanted.silent {
            outputs.push(Target::new(args.format(), args.output.as_deref(), wanted)?);
        }
        for (format, path) in &args.report {
            outputs.push(Target::new(*format, Some(path), wanted)?);
        }
        Ok(Outputs { outputs, failed: None })
    }

    /// Who takes findings as the scan goes, if any output does.
    pub fn sink(&mut self) -> Option<&mut dyn Sink> {
        let takes = |target: &Target| !matches!(target, Target::Report(..));
        if self.outputs.iter().any(takes) { Some(self) } else { None }
    }

    /// Ends all outputs; gives the first error when all are done.
    pub fn finish(mut self, report: &Report, wanted: Wanted<'_>) -> Result<(), Error> {
        for target in std::mem::take(&mut self.outputs) {
            if let Err(error) = target.finish(report, wanted) {
                self.fail(error);
            }
        }
        self.failed.map_or(Ok(()), Err)
    }

    /// Notes an error; one that says more than that a reader has gone goes first.
    fn fail(&mut self, error: Error) {
        let gone = |error: &Error| matches!(error, Error::Output { source, .. } if source.kind() == ErrorKind::BrokenPipe);
        if self.failed.as_ref().is_none_or(|known| gone(known) && !gone(&error)) {
            self.failed = Some(error);
        }
    }
}

impl Outputs {
    /// Gives each output what there is for it; those that fail are left out from then on.
    fn each(&mut self, mut give: impl FnMut(&mut Target) -> Result<(), Error>) -> Result<(), Error> {
        let mut at = 0;
        while at < self.outputs.len() {
            match give(&mut self.outputs[at]) {
                Ok(()) => at += 1,
                Err(error) => {
                    self.outputs.remove(at);
                    self.fail(error);
                }
            }
        }
        match self.failed.take_if(|_| self.outputs.is_empty()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Sink for Outputs {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        self.each(|target| match target {
            Target::Csv(printer) => printer.finding(finding),
            Target::Ndjson(_) | Target::Report(..) => Ok(()),
        })
    }

    fn wants_findings(&self) -> bool {
        self.outputs.iter().any(|target| matches!(target, Target::Csv(_)))
    }

    fn row_sink(&mut self) -> Option<&mut dyn RowSink> {
        if self.outputs.iter().any(|target| matches!(target, Target::Ndjson(_))) { Some(self) } else { None }
    }
}

impl RowSink for Outputs {
    fn encoder(&self) -> Encode {
        ndjson::encode
    }

    fn rows(&mut self, rows: &[u8]) -> Result<(), Error> {
        self.each(|target| match target {
            Target::Ndjson(printer) => printer.rows(rows),
            Target::Csv(_) | Target::Report(..) => Ok(()),
        })
    }
}

impl Target {
    fn new(format: Format, path: Option<&Path>, wanted: Wanted<'_>) -> Result<Target, Error> {
        let output = Output::new(path)?;
        let name = output.name().to_string();
        let form = match format {
            Format::Ndjson => {
                let stamp = CatalogStamp::new(wanted.catalog);
                let printer = ndjson::Printer::new(output, &name, &stamp, wanted.redaction)?;
                return Ok(Target::Ndjson(printer));
            }
            Format::Csv => {
                let printer = csv::Printer::new(output, &name, wanted.catalog, wanted.csv_raw)?;
                return Ok(Target::Csv(Box::new(printer)));
            }
            Format::Human => {
                let layout = layout(wanted.args.color, path.is_some());
                Form::Human(Layout { plan: wanted.args.plan, ..layout })
            }
            Format::Json => Form::Json,
            Format::Html => Form::Html,
            Format::Markdown => Form::Markdown,
            Format::Junit => Form::Junit,
            Format::Prometheus => Form::Prometheus,
        };
        Ok(Target::Report(form, output))
    }

    fn finish(self, report: &Report, wanted: Wanted<'_>) -> Result<(), Error> {
        let output = match self {
            Target::Ndjson(printer) => printer.finish(report)?,
            Target::Csv(printer) => printer.finish()?,
            Target::Report(form, mut output) => {
                // The library reads no clock.
                let now = Time { instant: Timestamp::now(), digits: 3 };
                output.put(|writer| match form {
                    Form::Human(layout) => human::write_report(report, layout, writer),
                    Form::Json => json::write_report(report, writer),
                    Form::Html => html::write_report(report, Some(now), writer),
                    Form::Markdown => markdown::write_report(report, writer),
                    Form::Junit => {
                        let entries = wanted.catalog.entries.iter().map(|entry| &**entry);
                        let entries = entries.filter(|entry| (wanted.looked)(entry)).collect();
                        let fails = &|code: &CodeReport| fails(wanted.fail_on, code);
                        junit::write_report(report, &junit::Cases { entries, fails }, writer)
                    }
                    Form::Prometheus => prometheus::write_report(report, writer),
                })?;
                output
            }
        };
        output.finish()
    }
}
