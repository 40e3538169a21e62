//! `catalog diff`: what differs between two catalogues, for people and as JSON.
//!
//! Two names of pattern files come in; their difference goes to standard output, wordings as lines with `-`
//! and `+`, other fields after their names. The exit code says whether there is one, as with diff(1).
//! Comparing is the library's.

use super::load;
use crate::cli::args::{CatalogDiffArgs, TextFormat};
use crate::cli::exit::Exit;
use crate::cli::print;
use migsift::catalog::diff::{CatalogDifference, ChangedEntry, EntryName};
use migsift::catalog::{self, Catalog};
use migsift::error::Error;
use migsift::print::json;
use migsift::print::safe;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// Compares two catalogues; the exit code says whether they differ.
pub fn run(args: &CatalogDiffArgs) -> Result<Exit, Error> {
    let (old, new) = (named(&args.old), named(&args.new));
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(Error::Catalog(mut problems)), Err(Error::Catalog(more))) => {
            problems.extend(more);
            return Err(Error::Catalog(problems));
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let difference = CatalogDifference::new(&old, &new);
    print(|writer| match args.format {
        TextFormat::Human => human(&difference, writer),
        TextFormat::Json => json::write_pretty(&Record::new(&old, &new, &difference), writer),
    })?;
    Ok(if difference.is_empty() { Exit::Clean } else { Exit::Found })
}

fn named(path: &Path) -> Result<Catalog, Error> {
    if path == Path::new("builtin") {
        return Ok(catalog::builtin().clone());
    }
    load::PatternFile::named(path).parse()
}

/// The difference as a JSON document.
#[derive(Serialize)]
struct Record<'a> {
    old: Stamp,
    new: Stamp,
    #[serde(flatten)]
    difference: &'a CatalogDifference,
}

/// A catalogue that was compared.
#[derive(Serialize)]
struct Stamp {
    edition: String,
    entries: usize,
    fingerprint: String,
}

impl<'a> Record<'a> {
    fn new(old: &Catalog, new: &Catalog, difference: &'a CatalogDifference) -> Record<'a> {
        let stamp = |catalog: &Catalog| Stamp {
            edition: catalog.edition.clone(),
            entries: catalog.entries.len(),
            fingerprint: catalog.fingerprint(),
        };
        Record { old: stamp(old), new: stamp(new), difference }
    }
}

fn human(difference: &CatalogDifference, writer: &mut dyn Write) -> io::Result<()> {
    if difference.is_empty() {
        return writeln!(writer, "no difference");
    }
    if let Some(change) = &difference.code_spaces {
        writeln!(writer, "code spaces")?;
        for (mark, values) in [('-', &change.removed), ('+', &change.added)] {
            for value in values {
                writeln!(writer, "  {mark} {}", safe::line(value))?;
            }
        }
    }
    for (what, entries) in [("added", &difference.added), ("removed", &difference.removed)] {
        for EntryName { id, title } in entries {
            writeln!(writer, "{what:<8}  {}  {}", safe::line(id), safe::line(title))?;
        }
    }
    for (what, entries) in [("reworded", &difference.reworded), ("changed", &difference.changed)] {
        for ChangedEntry { id, title, changes } in entries {
            writeln!(writer, "{what:<8}  {}  {}", safe::line(id), safe::line(title))?;
            for change in changes {
                // "reworded" says that the field is the wordings; any other needs its name.
                let field = if change.field == "wordings" { "" } else { change.field };
                let field = if field.is_empty() { String::new() } else { format!("{field}: ") };
                for (mark, values) in [('-', &change.removed), ('+', &change.added)] {
                    for value in values {
                        writeln!(writer, "  {mark} {field}{}", safe::line(value))?;
                    }
                }
            }
        }
    }
    let CatalogDifference { added, removed, reworded, changed, code_spaces: _ } = difference;
    writeln!(
        writer,
        "{} added, {} removed, {} reworded, {} changed",
        added.len(),
        removed.len(),
        reworded.len(),
        changed.len()
    )
}
