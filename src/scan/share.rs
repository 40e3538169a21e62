//! Shares: what one worker, or one part of the work that may have to be done again, has found and met, and where in the
//! order of the report it stands.

use super::{Problem, Status};
use crate::error::SourceError;
use crate::input::Resume;
use crate::source::Origin;
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A source, or an input that holds none, with the number that tells it from others of the same name.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub number: u32,
    pub origin: Arc<Origin>,
    /// Where it is read from, if not from its begin.
    pub from: Option<Resume>,
}

/// Gives numbers to sources.
#[derive(Debug, Default)]
pub(super) struct Sources(AtomicU32);

impl Sources {
    pub fn add(&self, origin: Origin) -> Source {
        Source { number: self.0.fetch_add(1, Ordering::Relaxed), origin: Arc::new(origin), from: None }
    }
}

/// A place in the order of the report: the task, and the part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub task: usize,
    pub part: usize,
}

/// What has been done.
#[derive(Debug, Default)]
pub(super) struct Share {
    pub summary: Summary,
    pub bytes: u64,
    /// Sources that were opened.
    pub sources: u64,
    /// What was not read, or not read whole, by number.
    problems: BTreeMap<u32, Noted>,
}

/// A problem and where in its source it lies.
#[derive(Debug)]
struct Noted {
    offset: u64,
    problem: Problem,
    /// Whether it is of a source that was opened.
    opened: bool,
}

impl Share {
    /// Notes that `source`, which was opened, was not read whole.
    pub fn broken(&mut self, source: &Source, error: &SourceError) {
        let nothing = offset(error) == Some(0);
        self.problem(source, error, if nothing { Status::Failed } else { Status::Partial }, true);
    }

    /// Notes that `input` is not read.
    pub fn unread(&mut self, input: &Source, error: &SourceError) {
        let problem = Problem::unread(input.origin.clone(), error);
        self.note(input.number, Noted { offset: offset(error).unwrap_or_default(), problem, opened: false });
    }

    /// Notes that not everything in `container` is read.
    pub fn damaged(&mut self, container: &Source, error: &SourceError) {
        self.problem(container, error, Status::Partial, false);
    }

    fn problem(&mut self, source: &Source, error: &SourceError, status: Status, opened: bool) {
        let offset = offset(error).unwrap_or_default();
        let bytes = if opened { offset } else { 0 };
        let problem = Problem { origin: source.origin.clone(), status, reason: error.to_string(), bytes };
        self.note(source.number, Noted { offset, problem, opened });
    }

    /// Of several problems of one source the first in it is told.
    fn note(&mut self, source: u32, new: Noted) {
        match self.problems.entry(source) {
            Entry::Vacant(entry) => {
                entry.insert(new);
            }
            Entry::Occupied(mut entry) if new.offset < entry.get().offset => {
                entry.insert(new);
            }
            Entry::Occupied(_) => {}
        }
    }

    pub fn merge(&mut self, other: Share) {
        self.summary.merge(other.summary);
        self.bytes += other.bytes;
        self.sources += other.sources;
        for (source, problem) in other.problems {
            self.note(source, problem);
        }
    }

    /// How many sources were read whole, and what was not.
    pub fn coverage(self) -> (u64, Vec<Problem>) {
        let broken = self.problems.values().filter(|noted| noted.opened).count() as u64;
        let problems = self.problems.into_values().map(|noted| noted.problem).collect();
        (self.sources - broken, problems)
    }
}

/// Where in its source reading stopped, if that is what the error says.
fn offset(error: &SourceError) -> Option<u64> {
    match error {
        SourceError::Read { offset, .. } | SourceError::Interrupted { offset } => Some(*offset),
        _ => None,
    }
}
