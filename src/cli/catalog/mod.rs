//! The commands about catalogues: list, check, import and diff.
//!
//! Arguments and files come in; data goes to standard output, and warnings and notes go to standard error.
//! The library does the work. Pattern files are loaded by [`load`], for the other commands, too.

mod diff;
mod load;

use super::args::{CatalogArgs, CatalogCommand, CatalogDiffArgs, CheckArgs, ImportArgs, TextFormat, When};
use super::claims::Claims;
use super::exit::{CommandError, Exit};
use super::writer::{Medium, OutputWriter, layout};
use super::{print, say};
use migsift::catalog::{self, Catalog, import};
use migsift::check::{self, Checked};
use migsift::error::Error;
use migsift::explain::Explanation;
use migsift::print::{human, json, safe};

pub use load::{claim, load};

/// Runs a command about catalogues.
pub fn run(command: &CatalogCommand) -> Result<Exit, CommandError> {
    claims(command).check()?;
    Ok(match command {
        CatalogCommand::List { format, catalog, color } => list(*format, catalog, *color),
        CatalogCommand::Check(args) => check(args),
        CatalogCommand::Import(args) => import(args),
        CatalogCommand::Diff(args) => diff::run(args),
    }?)
}

/// What a command reads and writes.
fn claims(command: &CatalogCommand) -> Claims {
    let mut claims = Claims::default();
    let files = match command {
        CatalogCommand::List { catalog, .. } => &catalog.files[..],
        CatalogCommand::Check(args) => &args.files,
        CatalogCommand::Import(args) => std::slice::from_ref(&args.table),
        CatalogCommand::Diff(CatalogDiffArgs { old, new, .. }) => &[old.clone(), new.clone()],
    };
    load::claim_files("the input", files, &mut claims);
    match command {
        CatalogCommand::Import(ImportArgs { output: Some(output), .. }) => claims.writes("--output", output),
        _ => claims.writes_stdout(),
    }
    claims
}

/// `catalog list`: all entries.
fn list(format: TextFormat, catalog: &CatalogArgs, color: When) -> Result<Exit, Error> {
    let catalog = load(catalog)?;
    print(|writer| match format {
        TextFormat::Human => human::write_catalog(&catalog, layout(color, Medium::Stdout), writer),
        TextFormat::Json => {
            let entries: Vec<Explanation<'_>> =
                catalog.entries.iter().map(|entry| (&**entry).into()).collect();
            json::write_pretty(&entries, writer)
        }
    })
}

/// `catalog check`: checks each file against the built-in catalogue and the files before it, as a scan with
/// all of them uses it.
fn check(args: &CheckArgs) -> Result<Exit, Error> {
    let mut problems = Vec::new();
    let mut output = OutputWriter::new(None)?;
    let mut base = if args.no_builtin { Catalog::without_entries() } else { catalog::builtin().clone() };
    let mut files = Vec::new();
    for named in &args.files {
        files.extend(load::pattern_files(named, &mut problems));
    }
    for file in files {
        let name = file.path.display().to_string();
        let own = match file.parse() {
            Ok(own) => own,
            Err(Error::Catalog(more)) => {
                problems.extend(more);
                continue;
            }
            Err(other) => return Err(other),
        };
        let checked = check::check(&name, &own, &base);
        for warning in &checked.warnings {
            say(&format!("warning: {warning}"));
        }
        if checked.problems.is_empty() {
            let line = all_good(&safe::line(&name), &checked);
            output.put(|writer| writeln!(writer, "{line}"))?;
        }
        problems.extend(checked.problems);
        base.add(own);
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

/// `catalog import`: makes a pattern file from the tables of a document.
fn import(args: &ImportArgs) -> Result<Exit, Error> {
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
    let mut output = OutputWriter::new(args.output.as_deref())?;
    output.put(|writer| writer.write_all(imported.text.as_bytes()))?;
    output.finish()?;
    Ok(Exit::Clean)
}
