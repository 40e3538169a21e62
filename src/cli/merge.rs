//! `merge`: reports made apart as one, printed and judged as `scan` does.

use super::args::{Format, Merge};
use super::exit::Exit;
use super::outputs::{self, Outputs, Wanted};
use super::{baseline, catalog, files, say};
use migsift::error::Error;
use migsift::merge::Merger;
use migsift::record::read::{self, MAX_REPORT_BYTES, ReportFile};
use std::path::Path;

/// Merges and prints.
pub fn run(args: &Merge) -> Result<Exit, Error> {
    let formats =
        [args.outputs.format()].into_iter().chain(args.outputs.report.iter().map(|(format, _)| *format));
    if formats.into_iter().any(|format| matches!(format, Format::Ndjson | Format::Csv)) {
        say("ndjson and csv are lists of all findings, which a report does not hold");
        return Ok(Exit::Usage);
    }
    if let Some(message) = outputs::clash(&args.outputs, None) {
        say(&message);
        return Ok(Exit::Usage);
    }
    let catalog = catalog::load(&args.catalog)?;
    let known = baseline::load(args.judge.baseline.as_deref(), &catalog)?;
    let mut merger = Merger::new(&catalog);
    for (i, path) in args.reports.iter().enumerate() {
        if let Some(twice) = args.reports[..i].iter().find(|known| same(known, path)) {
            let message = format!("the same report as {}: its findings would count twice", twice.display());
            return Err(Error::unusable(&path.display().to_string(), None, message));
        }
        merger.add(report(path)?)?;
    }
    let mut report = merger.finish()?;
    baseline::apply(known.as_ref(), &mut report);
    let (outputs, catalog, fail_on) = (&args.outputs, &catalog, args.judge.fail_on);
    let redaction = report.redaction.clone();
    let redaction = redaction.as_deref();
    let wanted = Wanted {
        args: outputs,
        csv_raw: false,
        catalog,
        looked: &|_| true,
        fail_on,
        redaction,
        silent: false,
    };
    Outputs::new(wanted)?.finish(&report, wanted)?;
    if outputs.format() != Format::Human {
        baseline::tell(args.judge.baseline.as_deref(), &report);
    }
    Ok(Exit::of_report(&report, &args.judge))
}

/// The report in a file; `-` is standard input.
pub fn report(path: &Path) -> Result<ReportFile, Error> {
    let name = path.display().to_string();
    let bytes = files::bytes_or_stdin(path, MAX_REPORT_BYTES)
        .map_err(|message| Error::unusable(&name, None, message))?;
    read::parse(&name, &bytes)
}

/// Whether both are one file; what cannot be looked at is told when it is read.
fn same(one: &Path, other: &Path) -> bool {
    one == other
        || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other && one.is_file())
}
