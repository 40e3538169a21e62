//! The catalogue that a command works with: built in, and what the user adds.

use super::args::CatalogArgs;
use migsift::catalog::{self, Catalog};
use migsift::error::{CatalogProblem, Error};
use std::path::{Path, PathBuf};

/// Loads the catalogue; problems of all files are told at once.
pub fn load(args: &CatalogArgs) -> Result<Catalog, Error> {
    let mut catalog = if args.no_builtin { Catalog::default() } else { catalog::builtin().clone() };
    let mut problems = Vec::new();
    for named in &args.files {
        for path in pattern_files(named, &mut problems) {
            let name = path.display().to_string();
            match std::fs::read(&path).map_err(|error| error.to_string()).and_then(utf8) {
                Ok(text) => match catalog::parse(&name, &text) {
                    Ok(more) => catalog.add(more),
                    Err(Error::Catalog(more)) => problems.extend(more),
                    Err(other) => return Err(other),
                },
                Err(message) => problems.push(problem(&path, message)),
            }
        }
    }
    if problems.is_empty() { Ok(catalog) } else { Err(Error::Catalog(problems)) }
}

/// The file itself, or the `.toml` files of a directory in order of their names.
fn pattern_files(named: &Path, problems: &mut Vec<CatalogProblem>) -> Vec<PathBuf> {
    if !named.is_dir() {
        return vec![named.to_path_buf()];
    }
    let files = std::fs::read_dir(named)
        .and_then(|items| items.map(|item| Ok(item?.path())).collect::<Result<Vec<_>, _>>());
    match files {
        Ok(mut files) => {
            files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
            files.sort();
            if files.is_empty() {
                problems.push(problem(named, "no pattern file (*.toml) in this directory".into()));
            }
            files
        }
        Err(error) => {
            problems.push(problem(named, error.to_string()));
            Vec::new()
        }
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

fn problem(path: &Path, message: String) -> CatalogProblem {
    let message = message.split(" (os error").next().unwrap_or_default().to_string();
    CatalogProblem { file: path.display().to_string(), line: None, entry: None, message }
}
