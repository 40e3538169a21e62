//! The commands about catalogues: list, check, import and diff.
//!
//! Arguments and files come in; the library does the work; what it says goes to standard output as data and to
//! standard error as talk. Loading pattern files is in [`load`], for the other commands too.

mod diff;
mod load;

use super::args::{CatalogArgs, CatalogCheck, CatalogCommand, CatalogImport, TextFormat, When};
use super::exit::Exit;
use super::output::{Output, layout};
use super::{print, say};
use migsift::catalog::{self, Catalog, import};
use migsift::check::{self, Checked};
use migsift::error::Error;
use migsift::explain::Explanation;
use migsift::print::{human, json, safe};

pub use load::load;

/// Runs a command about catalogues.
pub fn run(command: &CatalogCommand) -> Result<Exit, Error> {
    match command {
        CatalogCommand::List { format, catalog, color } => list(*format, catalog, *color),
        CatalogCommand::Check(args) => prove(args),
        CatalogCommand::Import(args) => make(args),
        CatalogCommand::Diff(args) => diff::run(args),
    }
}

fn list(format: TextFormat, catalog: &CatalogArgs, color: When) -> Result<Exit, Error> {
    let catalog = load(catalog)?;
    print(|writer| match format {
        TextFormat::Human => human::write_catalog(&catalog, layout(color, false), writer),
        TextFormat::Json => {
            let entries: Vec<Explanation<'_>> =
                catalog.entries.iter().map(|entry| (&**entry).into()).collect();
            json::write_pretty(&entries, writer)
        }
    })
}

/// Proves each file beside the built-in catalogue and the files before it, as a scan with all of them works.
fn prove(args: &CatalogCheck) -> Result<Exit, Error> {
    let mut problems = Vec::new();
    let mut output = Output::new(None)?;
    let mut beside = if args.no_builtin { Catalog::default() } else { catalog::builtin().clone() };
    for path in
        args.files.iter().flat_map(|named| load::pattern_files(named, &mut problems)).collect::<Vec<_>>()
    {
        let name = path.path.display().to_string();
        let own = match path.parse() {
            Ok(own) => own,
            Err(Error::Catalog(more)) => {
                problems.extend(more);
                continue;
            }
            Err(other) => return Err(other),
        };
        let checked = check::check(&name, &own, &beside);
        for warning in &checked.warnings {
            say(&format!("warning: {warning}"));
        }
        if checked.problems.is_empty() {
            let line = all_good(&safe::line(&name), &checked);
            output.put(|writer| writeln!(writer, "{line}"))?;
        }
        problems.extend(checked.problems);
        beside.add(own);
    }
    output.finish()?;
    if problems.is_empty() { Ok(Exit::Clean) } else { Err(Error::Catalog(problems)) }
}

fn all_good(name: &str, checked: &Checked) -> String {
    let entries = counted(checked.entries, "entry", "entries");
    let examples = counted(checked.examples, "example", "examples");
    let negatives = counted(checked.negatives, "negative", "negatives");
    format!("{name}: {entries}, {examples}, {negatives}: all good")
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Makes a pattern file of a document's tables.
fn make(args: &CatalogImport) -> Result<Exit, Error> {
    let text = load::read(&args.table).map_err(|problem| Error::Catalog(vec![problem]))?;
    let names = args.names.iter().cloned().collect();
    let name = args.table.display().to_string();
    let imported = import::import(&name, &text, &names, catalog::builtin())?;
    for note in &imported.notes {
        say(&note.to_string());
    }
    let entries = &imported.catalog.entries;
    let wordings: usize = entries.iter().map(|entry| entry.wordings.len()).sum();
    say(&format!(
        "{} from {}: {}, {}",
        safe::line(&name),
        counted(imported.rows, "row", "rows"),
        counted(entries.len(), "entry", "entries"),
        counted(wordings, "wording", "wordings")
    ));
    let mut output = Output::new(args.output.as_deref())?;
    output.put(|writer| writer.write_all(imported.text.as_bytes()))?;
    output.finish()?;
    Ok(Exit::Clean)
}
