//! Outputs: one pass of a scan, printed in as many formats as were asked for.
//!
//! The formats and files of the command line come in, then findings while the scan runs, then the report.
//! Streamed formats print the findings, the others wait for the report. An output that fails does not stop
//! the others: each file appears whole or not at all, and the scan goes on as long as one output is left.
//!
//! This module does not know any format by name; [`Format`] says how each is written.

use super::args::{FailOn, OutputArgs};
use super::clock;
use super::exit::fails;
use super::writer::{Medium, OutputWriter, layout};
use migsift::catalog::{Catalog, Entry};
use migsift::context::Time;
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::print::csv::Formulas;
use migsift::print::human::Layout;
use migsift::print::{Destination, Format, Settings, Streamed, WriteReport, Writer, junit};
use migsift::report::{CodeReport, Report};
use migsift::scan::{Encode, RowSink, Sink};
use std::io::ErrorKind;
use std::path::Path;

/// The outputs of a scan.
pub struct Outputs {
    open: Vec<OpenOutput>,
    /// How workers encode findings for the format that writes rows, if one of the outputs has it.
    encoder: Option<Encode>,
    /// The error to return at the end, if one of them has failed.
    failed: Option<Error>,
}

/// An output that has been started.
enum OpenOutput {
    /// Prints findings while the scan runs.
    Findings(Box<dyn Streamed>),
    /// Waits for the report.
    Report { write: WriteReport, layout: Layout, output: OutputWriter },
}

/// What the command line asks of the outputs, and what they need besides findings and the report.
#[derive(Clone, Copy)]
pub struct OutputRequest<'a> {
    /// The formats and files of the command line.
    pub args: &'a OutputArgs,
    /// What happens to cells of CSV that a spreadsheet would read as formulas.
    pub formulas: Formulas,
    /// The catalogue of the scan.
    pub catalog: &'a Catalog,
    /// Whether findings of an entry pass the filters; the others are no test cases.
    pub selected: &'a dyn Fn(&Entry) -> bool,
    /// Which findings fail the run.
    pub fail_on: FailOn,
    /// The id of the key under which names are tokens, if they are.
    pub redaction: Option<&'a str>,
    /// Whether only `--report` files are written, and nothing to standard output.
    pub silent: bool,
}

impl OutputRequest<'_> {
    fn settings(&self, layout: Layout, generated: Option<Time>) -> Settings<'_> {
        let entries = self.catalog.entries.iter().map(|entry| &**entry);
        let fail_on = self.fail_on;
        Settings {
            catalog: self.catalog,
            layout,
            generated,
            cases: junit::TestCases {
                entries: entries.filter(|entry| (self.selected)(entry)).collect(),
                fails: Box::new(move |code: &CodeReport| fails(fail_on, code)),
            },
            formulas: self.formulas,
            redaction: self.redaction,
        }
    }
}

impl Outputs {
    /// Starts all outputs of the request.
    pub fn new(request: OutputRequest<'_>) -> Result<Outputs, Error> {
        let args = request.args;
        let mut open = Vec::new();
        if !request.silent {
            open.push(OpenOutput::new(args.format(), args.output.as_deref(), request)?);
        }
        for (format, path) in &args.report {
            open.push(OpenOutput::new(*format, Some(path), request)?);
        }
        let encoder = open.iter_mut().find_map(|output| match output {
            OpenOutput::Findings(printer) => printer.row_sink().map(|sink| sink.encoder()),
            OpenOutput::Report { .. } => None,
        });
        Ok(Outputs { open, encoder, failed: None })
    }

    /// The sink for findings, if an output prints them.
    pub fn sink(&mut self) -> Option<&mut dyn Sink> {
        let streamed = |output: &OpenOutput| matches!(output, OpenOutput::Findings(_));
        if self.open.iter().any(streamed) { Some(self) } else { None }
    }

    /// Completes all outputs, also after one has failed; returns the first error.
    pub fn finish(mut self, report: &Report, request: OutputRequest<'_>) -> Result<(), Error> {
        for output in std::mem::take(&mut self.open) {
            if let Err(error) = output.finish(report, request) {
                self.fail(error);
            }
        }
        self.failed.map_or(Ok(()), Err)
    }

    /// Keeps the first error. A closed pipe is the weakest: it ends a run quietly, so any other error
    /// replaces it.
    fn fail(&mut self, error: Error) {
        let closed = |error: &Error| matches!(error, Error::Output { source, .. } if source.kind() == ErrorKind::BrokenPipe);
        if self.failed.as_ref().is_none_or(|known| closed(known) && !closed(&error)) {
            self.failed = Some(error);
        }
    }

    /// Writes to each streamed output, and drops those that fail; the last one's failure ends the scan.
    fn each(&mut self, mut write: impl FnMut(&mut dyn Streamed) -> Result<(), Error>) -> Result<(), Error> {
        let mut at = 0;
        while at < self.open.len() {
            let written = match &mut self.open[at] {
                OpenOutput::Findings(printer) => write(&mut **printer),
                OpenOutput::Report { .. } => Ok(()),
            };
            match written {
                Ok(()) => at += 1,
                Err(error) => {
                    self.open.remove(at);
                    self.fail(error);
                }
            }
        }
        match self.failed.take_if(|_| self.open.is_empty()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Each streamed format gets either findings or the rows that workers have encoded. Only one format has rows,
/// so there is one encoder for all.
impl Sink for Outputs {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        self.each(|printer| if printer.wants_findings() { printer.finding(finding) } else { Ok(()) })
    }

    fn wants_findings(&self) -> bool {
        self.open
            .iter()
            .any(|output| matches!(output, OpenOutput::Findings(printer) if printer.wants_findings()))
    }

    fn row_sink(&mut self) -> Option<&mut dyn RowSink> {
        let writes_rows = |output: &mut OpenOutput| match output {
            OpenOutput::Findings(printer) => printer.row_sink().is_some(),
            OpenOutput::Report { .. } => false,
        };
        if self.open.iter_mut().any(writes_rows) { Some(self) } else { None }
    }
}

impl RowSink for Outputs {
    fn encoder(&self) -> Encode {
        self.encoder.unwrap_or_else(|| unreachable!("a format with rows has an encoder"))
    }

    fn rows(&mut self, rows: &[u8]) -> Result<(), Error> {
        self.each(|printer| printer.row_sink().map_or(Ok(()), |sink| sink.rows(rows)))
    }
}

impl OpenOutput {
    fn new(format: Format, path: Option<&Path>, request: OutputRequest<'_>) -> Result<OpenOutput, Error> {
        let output = OutputWriter::new(path)?;
        let medium = path.map_or(Medium::Stdout, |_| Medium::File);
        let layout = Layout { plan: request.args.plan, ..layout(request.args.color, medium) };
        match format.writer() {
            Writer::Report(write) => Ok(OpenOutput::Report { write, layout, output }),
            Writer::Findings(start) => {
                let printer = start(Box::new(output), &request.settings(layout, None))?;
                Ok(OpenOutput::Findings(printer))
            }
        }
    }

    fn finish(self, report: &Report, request: OutputRequest<'_>) -> Result<(), Error> {
        match self {
            OpenOutput::Findings(printer) => printer.complete(report),
            OpenOutput::Report { write, layout, mut output } => {
                // The library reads no clock.
                let now = Time { instant: clock::now(), digits: 3 };
                let settings = request.settings(layout, Some(now));
                output.put(|writer| write(report, &settings, writer))?;
                output.finish()
            }
        }
    }
}

impl Destination for OutputWriter {
    fn name(&self) -> &str {
        OutputWriter::name(self)
    }

    fn complete(self: Box<Self>) -> Result<(), Error> {
        self.finish()
    }
}
