//! `report`: a report from the history, printed and judged as `scan` does.
//!
//! A store comes in and is only read; findings and the report go to the outputs.

use super::args::{ReportArgs, RunSelector};
use super::claims::{Claims, MainOutput};
use super::exit::{CommandError, Exit};
use super::outputs::{OutputRequest, Outputs};
use super::{baseline, catalog, times};
use jiff::tz::TimeZone;
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::print::csv::Formulas;
use migsift::report::Report;
use migsift::scan::Sink;
use migsift::store::{Selection, Store};

/// Discards findings, where only the report is of interest.
pub struct NullSink;

impl Sink for NullSink {
    fn finding(&mut self, _: &Finding) -> Result<(), Error> {
        Ok(())
    }
}

/// What the command reads and writes.
fn claims(args: &ReportArgs) -> Claims {
    let mut claims = Claims::default();
    claims.reads("--store", &args.store);
    catalog::claim(&args.catalog, &mut claims);
    args.judge.baseline.iter().for_each(|path| claims.reads("--baseline", path));
    claims.writes_outputs(&args.outputs, MainOutput::Printed);
    claims
}

/// Reads the history and prints.
pub fn run(args: &ReportArgs) -> Result<Exit, CommandError> {
    claims(args).check()?;
    let catalog = catalog::load(&args.catalog)?;
    let known = baseline::load(args.judge.baseline.as_deref(), &catalog)?;
    let since = times::bound("--since", args.since.as_deref(), &TimeZone::UTC)?;
    let until = times::bound("--until", args.until.as_deref(), &TimeZone::UTC)?;
    let store = Store::read(&args.store)?;
    let run = match args.run {
        Some(RunSelector::Number(run)) => Some(run),
        Some(RunSelector::Last) => Some(store.run(None)?.run.id),
        None => None,
    };
    let selection = Selection { run, since, until };
    let request = OutputRequest {
        args: &args.outputs,
        formulas: Formulas::Escape,
        catalog: &catalog,
        selected: &|_| true,
        fail_on: args.judge.fail_on,
        redaction: None,
        silent: false,
    };
    let mut outputs = Outputs::new(request)?;
    let history = match outputs.sink() {
        Some(sink) => store.history(&selection, &catalog, sink)?,
        None => store.history(&selection, &catalog, &mut NullSink)?,
    };
    let (run, trend) = (Some(history.run), Some(history.trend));
    let mut report = Report::build(history.outcome, &catalog);
    (report.run, report.trend) = (run, trend);
    baseline::apply(known.as_ref(), &mut report);
    outputs.finish(&report, request)?;
    Ok(Exit::of_report(&report, &args.judge))
}
