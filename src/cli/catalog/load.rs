//! Loading: pattern files from paths that users name, or from directories.
//!
//! Paths come in; a catalogue, or all problems of all files at once, go out. Parsing is the library's.

use crate::cli::args::CatalogArgs;
use crate::cli::claims::Claims;
use crate::cli::files::{self, Choice, FileError};
use migsift::catalog::{self, Catalog, MAX_CODE_SPACES, MAX_ENTRIES, MAX_FILE_BYTES};
use migsift::error::{CatalogProblem, Error};
use std::path::{Path, PathBuf};

/// A pattern file that has not been read yet.
pub struct PatternFile {
    pub path: PathBuf,
    choice: Choice,
}

/// Loads the catalogue; reports the problems of all files at once.
pub fn load(args: &CatalogArgs) -> Result<Catalog, Error> {
    let mut catalog = if args.no_builtin { Catalog::without_entries() } else { catalog::builtin().clone() };
    let mut problems = Vec::new();
    for named in &args.files {
        for file in pattern_files(named, &mut problems) {
            match file.parse() {
                Ok(more) => catalog.add(more),
                Err(Error::Catalog(more)) => problems.extend(more),
                Err(other) => return Err(other),
            }
            let counts = [
                (catalog.entries.len(), MAX_ENTRIES, "entries"),
                (catalog.code_spaces.len(), MAX_CODE_SPACES, "code spaces"),
            ];
            if let Some((_, most, what)) = counts.into_iter().find(|(count, most, _)| count > most) {
                let message =
                    format!("with this file the catalogue has more than {most} {what}, which is the limit");
                problems.push(problem(&file.path, message));
                return Err(Error::Catalog(problems));
            }
        }
    }
    if problems.is_empty() { Ok(catalog) } else { Err(Error::Catalog(problems)) }
}

/// The command reads the pattern files of `--catalog`.
pub fn claim(args: &CatalogArgs, claims: &mut Claims) {
    claim_files("--catalog", &args.files, claims);
}

/// The command reads the pattern files at these paths, as far as they can be listed; loading reports the rest.
pub fn claim_files(what: &str, named: &[PathBuf], claims: &mut Claims) {
    let files = named.iter().flat_map(|named| pattern_files(named, &mut Vec::new()));
    files.for_each(|file| claims.reads(what, &file.path));
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
            files.into_iter().map(|path| PatternFile { path, choice: Choice::Listed }).collect()
        }
        Err(error) => {
            problems.push(problem(named, FileError::from(error).to_string()));
            Vec::new()
        }
    }
}

impl PatternFile {
    /// A file that a user named.
    pub fn named(path: &Path) -> PatternFile {
        PatternFile { path: path.to_path_buf(), choice: Choice::Named }
    }

    /// Reads and parses it.
    pub fn parse(&self) -> Result<Catalog, Error> {
        let text = text(&self.path, self.choice).map_err(|problem| Error::Catalog(vec![problem]))?;
        catalog::parse(&self.path.display().to_string(), &text)
    }
}

/// Reads a text file that a user named.
pub fn read(path: &Path) -> Result<String, CatalogProblem> {
    text(path, Choice::Named)
}

fn text(path: &Path, choice: Choice) -> Result<String, CatalogProblem> {
    files::text(path, choice, MAX_FILE_BYTES)
        .map_err(|error| CatalogProblem { line: error.line(), ..problem(path, error.to_string()) })
}

fn problem(path: &Path, message: String) -> CatalogProblem {
    CatalogProblem { file: path.display().to_string(), line: None, entry: None, message }
}
