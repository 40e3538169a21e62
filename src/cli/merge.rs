//! `merge`: reports of several scans as one, printed and judged as `scan` does.
//!
//! JSON reports come in, one report goes to the outputs. Merging is the library's.

use super::args::MergeArgs;
use super::claims::{Claims, MainOutput};
use super::exit::{CommandError, Exit, UsageError};
use super::outputs::{OutputRequest, Outputs};
use super::{baseline, catalog, files};
use migsift::error::Error;
use migsift::input::own_report;
use migsift::merge::Merger;
use migsift::print::csv::Formulas;
use migsift::print::{self, Format};
use migsift::record::read::{self, MAX_REPORT_BYTES, ReportFile};
use std::path::Path;

/// Merges and prints.
pub fn run(args: &MergeArgs) -> Result<Exit, CommandError> {
    check_formats(args)?;
    claims(args).check()?;
    let catalog = catalog::load(&args.catalog)?;
    let known = baseline::load(args.judge.baseline.as_deref(), &catalog)?;
    let mut merger = Merger::new(&catalog);
    for (i, path) in args.reports.iter().enumerate() {
        if let Some(other) = args.reports[..i].iter().find(|other| is_same_file(other, path)) {
            let message = format!("the same report as {}: its findings would count twice", other.display());
            return Err(Error::unusable(&path.display().to_string(), None, message).into());
        }
        merger.add(read_report(path)?)?;
    }
    let mut report = merger.finish()?;
    baseline::apply(known.as_ref(), &mut report);
    let redaction = report.redaction.clone();
    let request = OutputRequest {
        args: &args.outputs,
        formulas: Formulas::Escape,
        catalog: &catalog,
        selected: &|_| true,
        fail_on: args.judge.fail_on,
        redaction: redaction.as_deref(),
        silent: false,
    };
    Outputs::new(request)?.finish(&report, request)?;
    if args.outputs.format() != Format::Human {
        baseline::report_expired(args.judge.baseline.as_deref(), &report);
    }
    Ok(Exit::of_report(&report, &args.judge))
}

/// What the command reads and writes.
fn claims(args: &MergeArgs) -> Claims {
    let mut claims = Claims::default();
    args.reports.iter().for_each(|path| claims.reads("the report", path));
    catalog::claim(&args.catalog, &mut claims);
    args.judge.baseline.iter().for_each(|path| claims.reads("--baseline", path));
    claims.writes_outputs(&args.outputs, MainOutput::Printed);
    claims
}

/// Refuses formats that list findings: a report holds only some of them.
fn check_formats(args: &MergeArgs) -> Result<(), UsageError> {
    let reports = args.outputs.report.iter().map(|(format, _)| *format);
    let mut formats = [args.outputs.format()].into_iter().chain(reports);
    if formats.any(Format::is_streamed) {
        return Err(UsageError::new("ndjson and csv list all findings, and a report does not contain them"));
    }
    Ok(())
}

/// Reads the report in a file; `-` is standard input.
pub fn read_report(path: &Path) -> Result<ReportFile, Error> {
    let name = path.display().to_string();
    let bytes = files::bytes_or_stdin(path, MAX_REPORT_BYTES)
        .map_err(|error| Error::unusable(&name, None, error.to_string()))?;
    let head = &bytes[..bytes.len().min(own_report::HEAD_BYTES)];
    if !head.starts_with(b"{") && own_report::is(print::own_outputs(), head) {
        let message = "a report in another format; make one with --format json";
        return Err(Error::unusable(&name, None, message));
    }
    read::parse(&name, &bytes)
}

/// Whether both are one file. Errors are reported when the file is read.
fn is_same_file(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other && one.is_file())
}
