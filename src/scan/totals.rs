//! Totals: what one worker found, and which sources it could not read.
//!
//! Counts and errors come in as a worker meets them; all totals of a scan are merged once, in any order. The
//! findings themselves are not here.

use super::numbering::Source;
use super::outcome::{Problem, Status};
use crate::error::SourceError;
use crate::summary::Summary;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The totals of one worker, or of one part of an archive that may have to be done again.
#[derive(Debug, Default)]
pub(super) struct WorkerTotals {
    pub summary: Summary,
    /// Bytes scanned.
    pub bytes: u64,
    /// Sources that were opened.
    pub sources: u64,
    /// The problem of each source that was not read whole, by its number.
    problems: BTreeMap<u32, SourceProblem>,
}

/// A problem and its place in the source.
#[derive(Debug)]
struct SourceProblem {
    offset: u64,
    problem: Problem,
    /// Whether the source was opened, so that it counts among the sources.
    opened: bool,
}

impl WorkerTotals {
    /// Records that `source`, which was opened, was not read whole.
    pub fn broken(&mut self, source: &Source, error: &SourceError) {
        let status = if offset(error) == Some(0) { Status::Failed } else { Status::Partial };
        let (offset, opened) = (offset(error).unwrap_or_default(), true);
        let problem = problem(source, error, status, offset);
        self.record(source.number, SourceProblem { offset, problem, opened });
    }

    /// Records that `input` is not read.
    pub fn unread(&mut self, input: &Source, error: &SourceError) {
        let problem = Problem::unread(input.origin.clone(), error);
        let offset = offset(error).unwrap_or_default();
        self.record(input.number, SourceProblem { offset, problem, opened: false });
    }

    /// Records that not everything in `container` is read.
    pub fn damaged(&mut self, container: &Source, error: &SourceError) {
        let problem = problem(container, error, Status::Partial, 0);
        let offset = offset(error).unwrap_or_default();
        self.record(container.number, SourceProblem { offset, problem, opened: false });
    }

    /// Keeps the first problem of a source, by its place in the source.
    fn record(&mut self, source: u32, new: SourceProblem) {
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

    /// Adds the totals of another worker or part.
    pub fn merge(&mut self, other: WorkerTotals) {
        self.summary.merge(other.summary);
        self.bytes += other.bytes;
        self.sources += other.sources;
        for (source, problem) in other.problems {
            self.record(source, problem);
        }
    }

    /// Returns how many sources were read whole, and the problems of the others.
    pub fn coverage(self) -> (u64, Vec<Problem>) {
        let broken = self.problems.values().filter(|problem| problem.opened).count() as u64;
        let problems = self.problems.into_values().map(|problem| problem.problem).collect();
        (self.sources - broken, problems)
    }
}

fn problem(source: &Source, error: &SourceError, status: Status, bytes: u64) -> Problem {
    Problem { origin: source.origin.clone(), status, reason: error.to_string(), bytes }
}

/// The place in the source where reading stopped, if the error has one.
fn offset(error: &SourceError) -> Option<u64> {
    match error {
        SourceError::Read { offset, .. } | SourceError::Interrupted { offset } => Some(*offset),
        _ => None,
    }
}
