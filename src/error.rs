//! Errors, in two sizes.
//!
//! An [`Error`] is fatal: nothing can be scanned, or the result cannot be written. A [`SourceError`] concerns
//! one input: it is listed, the others are read, and the run is partial. Their texts are for people and carry
//! no colours; names from outside in them are not escaped yet, which is up to whoever prints them.

use std::fmt;
use std::path::PathBuf;

/// A fatal error: the run cannot start, or its result cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Pattern files that cannot be used, with all problems in their order.
    #[error("{}", join(.0))]
    Catalog(Vec<CatalogProblem>),
    /// Reports or baselines that cannot be used, with all problems in their order.
    #[error("{}", join(.0))]
    Unusable(Vec<FileProblem>),
    /// The store is in use by another run.
    #[error("{file}: the store is in use by another run; --wait waits for its end")]
    Busy {
        /// The store, by the name that the user gave.
        file: String,
    },
    /// The worker threads could not be started.
    #[error("cannot start worker threads: {0}; try a smaller --threads")]
    Threads(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The output could not be written.
    #[error("cannot write {target}: {}", reason(.source))]
    Output {
        /// The destination: a path or `standard output`.
        target: String,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

impl Error {
    /// The error for a file that cannot be used; `place` is where in it, if that is known.
    pub fn unusable(file: &str, place: Option<String>, message: impl Into<String>) -> Error {
        Error::Unusable(vec![FileProblem { file: file.to_string(), place, message: message.into() }])
    }

    /// The error for output that could not be written to `target`.
    pub fn output(target: impl Into<String>, source: std::io::Error) -> Error {
        Error::Output { target: target.into(), source }
    }
}

fn join(problems: &[impl ToString]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// One problem of a pattern file, printed as `file:line: entry: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogProblem {
    /// The file, by the name that the user gave.
    pub file: String,
    /// The line, 1-based, if it is known.
    pub line: Option<usize>,
    /// The entry's id, if the problem concerns one.
    pub entry: Option<String>,
    /// What is wrong and how to fix it.
    pub message: String,
}

impl fmt::Display for CatalogProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(entry) = &self.entry {
            write!(f, ": {entry}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// One problem of a report or baseline, printed as `file:place: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file, by the name that the user gave.
    pub file: String,
    /// The place in it: a line, a line and a column, or the path of a value in JSON (`codes[3].count`).
    pub place: Option<String>,
    /// What is wrong and how to fix it.
    pub message: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(place) = &self.place {
            write!(f, ":{place}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Why one input was not read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The path could not be inspected or opened.
    #[error("{}", reason(.0))]
    Open(std::io::Error),
    /// Reading stopped before the end.
    #[error("{} at byte {offset}", reason(.error))]
    Read {
        /// Where in the source it stopped.
        offset: u64,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// The scan was interrupted before all of it was read.
    #[error("interrupted")]
    Interrupted {
        /// Where in the source it stopped.
        offset: u64,
    },
    /// It was identified by its first bytes and is not read at all, or a limit forbids it.
    #[error("{0}")]
    Unread(String),
    /// An archive contains more, or something else, than could be read.
    #[error("{0}")]
    Archive(String),
    /// A rule skips it.
    #[error("{0}")]
    Skipped(&'static str),
    /// It is a report that this program wrote; reading it would count its samples again.
    #[error("a report that migsift wrote")]
    OwnReport,
    /// A panic while this input was scanned: a defect of the program.
    #[error("internal error while scanning; please report it")]
    Panic,
}

/// Returns the operating system's reason in words, without Rust's `(os error N)`.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

/// A path that could not be walked.
#[derive(Debug)]
pub struct PathProblem {
    /// The path as walked.
    pub path: PathBuf,
    /// Why.
    pub error: SourceError,
}
