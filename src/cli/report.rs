//! `report`: what the history holds, printed and judged as `scan` does.

use super::args::History;
use super::exit::Exit;
use super::outputs::{self, Outputs, Wanted};
use super::{baseline, catalog, say};
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::report::Report;
use migsift::scan::Sink;
use migsift::store::{Select, Store};

/// Takes findings that nobody prints one by one.
struct Nobody;

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
    let store = Store::read(&args.store)?;
    let (outputs, fail_on) = (&args.outputs, args.judge.fail_on);
    let wanted = Wanted {
        args: outputs,
        csv_raw: false,
        catalog: &catalog,
        looked: &|_| true,
        fail_on,
        redaction: None,
    };
    let mut outputs = Outputs::new(wanted)?;
    let select = Select { run: args.run };
    let outcome = match outputs.sink() {
        Some(sink) => store.history(&select, sink)?,
        None => store.history(&select, &mut Nobody)?,
    };
    let mut report = Report::build(outcome, &catalog);
    baseline::apply(known.as_ref(), &mut report);
    outputs.finish(&report, wanted)?;
    Ok(Exit::of_report(&report, &args.judge))
}
