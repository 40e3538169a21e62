//! Pattern files from paths, named or in a directory that is.

use crate::cli::args::CatalogArgs;
use crate::cli::files;
use migsift::catalog::{self, Catalog, MAX_ENTRIES, MAX_FILE_BYTES};
use migsift::error::{CatalogProblem, Error, reason};
use std::path::{Path, PathBuf};

/// A pattern file to be read.
pub struct PatternFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether a person named it, not only its directory.
    named: bool,
}

/// Loads the catalogue; problems of all files are told at once.
pub fn load(args: &CatalogArgs) -> Result<Catalog, Error> {
    let mut catalog = if args.no_builtin { Catalog::default() } else { catalog::builtin().clone() };
    let mut problems = Vec::new();
    for named in &args.files {
        for file in pattern_files(named, &mut problems) {
            match file.parse() {
                Ok(more) => catalog.add(more),
                Err(Error::Catalog(more)) => problems.extend(more),
                Err(other) => return Err(other),
            }
            if catalog.entries.len() > MAX_ENTRIES {
                let message =
                    format!("with this file more than {MAX_ENTRIES} entries; so many are not taken");
                problems.push(problem(&file.path, message));
                return Err(Error::Catalog(problems));
            }
        }
    }
    if problems.is_empty() { Ok(catalog) } else { Err(Error::Catalog(problems)) }
}

/// The file itself, or the `.toml` files of a directory in order of their names.
pub fn pattern_files(named: &Path, problems: &mut Vec<CatalogProblem>) -> Vec<PatternFile> {
    if !named.is_dir() {
        return vec![PatternFile::named(named)];
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
            files.into_iter().map(|path| PatternFile { path, named: false }).collect()
        }
        Err(error) => {
            problems.push(problem(named, reason(&error)));
            Vec::new()
        }
    }
}

impl PatternFile {
    /// The file that a person named.
    pub fn named(path: &Path) -> PatternFile {
        PatternFile { path: path.to_path_buf(), named: true }
    }

    /// Reads and parses it.
    pub fn parse(&self) -> Result<Catalog, Error> {
        let text = text(&self.path, self.named).map_err(|problem| Error::Catalog(vec![problem]))?;
        catalog::parse(&self.path.display().to_string(), &text)
    }
}

/// The text of a file that a person named.
pub fn read(path: &Path) -> Result<String, CatalogProblem> {
    text(path, true)
}

fn text(path: &Path, named: bool) -> Result<String, CatalogProblem> {
    let bytes = files::bytes(path, named, MAX_FILE_BYTES).map_err(|message| problem(path, message))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
        CatalogProblem { line: Some(line), ..problem(path, format!("not UTF-8 at byte {valid}")) }
    })
}

fn problem(path: &Path, message: String) -> CatalogProblem {
    CatalogProblem { file: path.display().to_string(), line: None, entry: None, message }
}
