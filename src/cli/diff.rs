//! `diff`: what has changed between two reports; the exit code says whether something is new.

use super::args::{Diff, TextFormat};
use super::exit::Exit;
use super::merge::report;
use super::output::layout;
use super::report::Nobody;
use super::{catalog, print};
use migsift::catalog::Catalog;
use migsift::error::Error;
use migsift::print::{difference, json};
use migsift::record::read::{self, ReportFile};
use migsift::report::Report;
use migsift::store::{Select, Store};
use std::path::Path;

/// Compares and prints.
pub fn run(args: &Diff) -> Result<Exit, Error> {
    if let Some(path) = &args.store {
        let store = Store::read(path)?;
        let catalog = catalog::load(&args.catalog)?;
        let run = |number: &Path| history(&store, number, &catalog);
        return compare(args, run(&args.old)?, run(&args.new)?);
    }
    if args.old == Path::new("-") && args.new == Path::new("-") {
        return Err(Error::unusable("-", None, "standard input cannot be both reports"));
    }
    compare(args, report(&args.old)?, report(&args.new)?)
}

/// What a run of the store was the first to see, as a report.
fn history(store: &Store, number: &Path, catalog: &Catalog) -> Result<ReportFile, Error> {
    let name = format!("run {}", number.display());
    let run = number.to_str().and_then(|text| text.parse().ok());
    let run = run.ok_or_else(|| Error::unusable(&name, None, "the number of a run is asked for"))?;
    let history = store.history(&Select { run: Some(run), ..Select::default() }, &mut Nobody)?;
    let mut bytes = Vec::new();
    let written = json::write_report(&Report::build(history.outcome, catalog), &mut bytes);
    written.map_err(|error| Error::output(&name, error))?;
    read::parse(&name, &bytes)
}

fn compare(args: &Diff, old: ReportFile, new: ReportFile) -> Result<Exit, Error> {
    let compared = difference::Compared::new(old, new)?;
    print(|writer| match args.format {
        TextFormat::Human => difference::write_human(&compared, layout(args.color, false), writer),
        TextFormat::Json => difference::write_json(&compared, writer),
    })?;
    Ok(if compared.difference.new.is_empty() { Exit::Clean } else { Exit::Found })
}
