//! The outcome of a scan: its summary, and the outcome of each input.
//!
//! Workers report problems; a walk reports the paths that it skipped or could not read. [`Inputs`] adds them up,
//! and merges with those of other scans in any order.

use crate::error::SourceError;
use crate::input::Walk;
use crate::redact::Redactor;
use crate::redact::secrets::{mask_in_place, mask_origin};
use crate::source::Origin;
use crate::summary::Summary;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// The outcome of a scan.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The findings, summed up.
    pub summary: Summary,
    /// The outcome of the inputs.
    pub inputs: Inputs,
    /// The id of the redactor's key, if names were replaced by tokens.
    pub redaction: Option<String>,
}

/// The outcome of the inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Inputs read to their end.
    pub scanned: u64,
    /// Inputs read in part.
    pub partial: u64,
    /// Inputs skipped by rule.
    pub skipped: u64,
    /// Inputs not read.
    pub failed: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Each input that was not read whole, by path.
    pub problems: Vec<Problem>,
}

impl Inputs {
    /// Returns the outcome of a scan that read `scanned` sources whole, `bytes` bytes in all, had `problems` with others,
    /// and whose inputs came from `walk`.
    pub(super) fn of_scan(scanned: u64, bytes: u64, mut problems: Vec<Problem>, walk: &Walk) -> Inputs {
        let problem = |path: &Path, status, reason: String| Problem {
            origin: Arc::new(Origin::path(path)),
            status,
            reason,
            bytes: 0,
        };
        let skipped = walk.skipped.iter();
        problems.extend(skipped.map(|path| problem(&path.path, Status::Skipped, path.reason.to_string())));
        let failed = walk.failed.iter();
        problems.extend(failed.map(|failed| problem(&failed.path, Status::Failed, failed.error.to_string())));
        let count = |status| problems.iter().filter(|problem| problem.status == status).count() as u64;
        let (partial, skipped, failed) =
            (count(Status::Partial), count(Status::Skipped), count(Status::Failed));
        let mut inputs = Inputs { scanned, partial, skipped, failed, bytes, problems };
        inputs.sort();
        inputs
    }

    /// Returns whether everything asked for was read.
    pub fn complete(&self) -> bool {
        self.counts().complete()
    }

    /// Returns the number of inputs, read or not.
    pub fn total(&self) -> u64 {
        self.counts().total()
    }

    /// Returns the number of inputs by outcome.
    pub fn counts(&self) -> InputCounts {
        let Inputs { scanned, partial, skipped, failed, .. } = *self;
        InputCounts { scanned, partial, skipped, failed }
    }

    /// Adds the inputs of another scan.
    pub fn merge(&mut self, other: Inputs) {
        self.scanned += other.scanned;
        self.partial += other.partial;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.bytes += other.bytes;
        self.problems.extend(other.problems);
        self.sort();
    }

    /// Masks secrets in the names of inputs and in the reasons of their problems.
    pub(super) fn mask(&mut self) {
        for problem in &mut self.problems {
            mask_origin(Arc::make_mut(&mut problem.origin));
            mask_in_place(&mut problem.reason);
        }
        self.sort();
    }

    /// Replaces names by tokens, in the names of inputs and in the reasons of their problems.
    pub(super) fn redact(&mut self, redactor: &Redactor) {
        for problem in &mut self.problems {
            problem.origin = Arc::new(redactor.origin(&problem.origin));
            problem.reason = redactor.redact_free_text(&problem.reason);
        }
        self.sort();
    }

    /// Members with the same name are ordered by the rest, so that the order does not depend on the merge.
    fn sort(&mut self) {
        self.problems.sort_by(|a, b| {
            (&a.origin, a.status, &a.reason, a.bytes).cmp(&(&b.origin, b.status, &b.reason, b.bytes))
        });
    }
}

/// The inputs of one that was not read whole: it counts, and it is listed with its reason.
impl From<Problem> for Inputs {
    fn from(problem: Problem) -> Inputs {
        let mut inputs = Inputs::default();
        *match problem.status {
            Status::Partial => &mut inputs.partial,
            Status::Failed => &mut inputs.failed,
            Status::Skipped => &mut inputs.skipped,
        } += 1;
        inputs.problems.push(problem);
        inputs
    }
}

/// How many inputs there are of each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputCounts {
    /// Inputs read to their end.
    pub scanned: u64,
    /// Inputs read in part.
    pub partial: u64,
    /// Inputs skipped by rule.
    pub skipped: u64,
    /// Inputs not read.
    pub failed: u64,
}

impl InputCounts {
    /// Returns the number of inputs.
    pub fn total(self) -> u64 {
        self.scanned + self.partial + self.skipped + self.failed
    }

    /// Returns whether everything asked for was read.
    pub fn complete(self) -> bool {
        self.partial == 0 && self.failed == 0
    }
}

/// An input that was not read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub origin: Arc<Origin>,
    /// Its outcome.
    pub status: Status,
    /// The reason, in words.
    pub reason: String,
    /// Bytes of it that were read.
    pub bytes: u64,
}

impl Problem {
    /// Returns the problem of an input of which nothing was read.
    pub fn unread(origin: Arc<Origin>, error: &SourceError) -> Problem {
        let status = match error {
            SourceError::OwnReport | SourceError::Skipped(_) => Status::Skipped,
            _ => Status::Failed,
        };
        Problem { origin, status, reason: error.to_string(), bytes: 0 }
    }
}

/// The outcome of an input that was not read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Read in part.
    Partial,
    /// Not read.
    Failed,
    /// Skipped by rule.
    Skipped,
}

impl Status {
    /// Returns the name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Status::Partial => "partial",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
        }
    }
}
