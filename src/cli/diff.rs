//! `diff`: compares two reports; the exit code says whether something is new.
//!
//! Two reports, or two runs of a store, come in; their difference goes to standard output. Comparing is the
//! library's.

use super::args::{DiffArgs, TextFormat};
use super::claims::Claims;
use super::exit::{CommandError, Exit};
use super::merge::read_report;
use super::report::NullSink;
use super::writer::{Medium, layout};
use super::{catalog, print};
use migsift::catalog::Catalog;
use migsift::error::Error;
use migsift::print::{difference, json};
use migsift::record::read::{self, ReportFile};
use migsift::report::Report;
use migsift::store::{Selection, Store};
use std::path::Path;

/// Compares and prints.
pub fn run(args: &DiffArgs) -> Result<Exit, CommandError> {
    claims(args).check()?;
    Ok(run_checked(args)?)
}

/// What the command reads and writes.
fn claims(args: &DiffArgs) -> Claims {
    let mut claims = Claims::default();
    match &args.store {
        Some(store) => claims.reads("--store", store),
        None => [&args.old, &args.new].into_iter().for_each(|path| claims.reads("the report", path)),
    }
    catalog::claim(&args.catalog, &mut claims);
    claims.writes_stdout();
    claims
}

fn run_checked(args: &DiffArgs) -> Result<Exit, Error> {
    if let Some(path) = &args.store {
        let store = Store::read(path)?;
        let catalog = catalog::load(&args.catalog)?;
        let run = |number: &Path| run_report(&store, number, &catalog);
        return compare(args, run(&args.old)?, run(&args.new)?);
    }
    if args.old == Path::new("-") && args.new == Path::new("-") {
        return Err(Error::unusable("-", None, "standard input cannot be both reports"));
    }
    compare(args, read_report(&args.old)?, read_report(&args.new)?)
}

/// The report of the findings that a run of the store was the first to find.
fn run_report(store: &Store, number: &Path, catalog: &Catalog) -> Result<ReportFile, Error> {
    let name = format!("run {}", number.display());
    let run = number.to_str().and_then(|text| text.parse().ok());
    let run = run.ok_or_else(|| Error::unusable(&name, None, "not the number of a run"))?;
    let selection = Selection { run: Some(run), ..Selection::default() };
    let history = store.history(&selection, catalog, &mut NullSink)?;
    let mut bytes = Vec::new();
    let written = json::write_report(&Report::build(history.outcome, catalog), &mut bytes);
    written.map_err(|error| Error::output(&name, error))?;
    read::parse(&name, &bytes)
}

fn compare(args: &DiffArgs, old: ReportFile, new: ReportFile) -> Result<Exit, Error> {
    let compared = difference::Compared::new(old, new)?;
    print(|writer| match args.format {
        TextFormat::Human => difference::write_human(&compared, layout(args.color, Medium::Stdout), writer),
        TextFormat::Json => difference::write_json(&compared, writer),
    })?;
    Ok(if compared.difference.new.is_empty() { Exit::Clean } else { Exit::Found })
}
