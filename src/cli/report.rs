//! `report`: what the history holds, printed and judged as `scan` does.

use super::args::{History, RunOf};
use super::exit::Exit;
use super::outputs::{self, Outputs, Wanted};
use super::{baseline, catalog, say};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use migsift::context::time;
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::print::safe;
use migsift::report::Report;
use migsift::scan::Sink;
use migsift::store::{Select, Store};

/// Takes findings that nobody prints one by one.
pub struct Nobody;

impl Sink for Nobody {
    fn finding(&mut self, _: &Finding) -> Result<(), Error> {
        Ok(())
    }
}

/// Reports.
pub fn run(args: &History) -> Result<Exit, Error> {
    if let Some(message) = outputs::clash(&args.outputs, Some(&args.store)) {
        say(&message);
        return Ok(Exit::Usage);
    }
    let catalog = catalog::load(&args.catalog)?;
    let known = baseline::load(args.judge.baseline.as_deref(), &catalog)?;
    let bound = |flag: &str, text: &Option<String>| {
        let found = text.as_ref().map(|text| time::bound(text, Timestamp::now(), &TimeZone::UTC)).transpose();
        found.map_err(|message| format!("{flag}: {}", safe::line(&message)))
    };
    let (since, until) = match (bound("--since", &args.since), bound("--until", &args.until)) {
        (Ok(since), Ok(until)) => (since, until),
        (Err(message), _) | (_, Err(message)) => {
            say(&message);
            return Ok(Exit::Usage);
        }
    };
    let store = Store::read(&args.store)?;
    let run = match args.run {
        Some(RunOf::Number(run)) => Some(run),
        Some(RunOf::Last) => Some(store.run(None)?.run.id),
        None => None,
    };
    let select = Select { run, since, until };
    let (outputs, fail_on) = (&args.outputs, args.judge.fail_on);
    let wanted = Wanted {
        args: outputs,
        csv_raw: false,
        catalog: &catalog,
        looked: &|_| true,
        fail_on,
        redaction: None,
        silent: false,
    };
    let mut outputs = Outputs::new(wanted)?;
    let history = match outputs.sink() {
        Some(sink) => store.history(&select, sink)?,
        None => store.history(&select, &mut Nobody)?,
    };
    let (run, trend) = (Some(history.run), Some(history.trend));
    let mut report = Report { run, trend, ..Report::build(history.outcome, &catalog) };
    baseline::apply(known.as_ref(), &mut report);
    outputs.finish(&report, wanted)?;
    Ok(Exit::of_report(&report, &args.judge))
}
