//! Summaries: what many findings say together.
//!
//! Findings come in by [`Summary::add`], other summaries by [`Summary::merge`]. A [`Summary`] goes out, by
//! code. It does not know the catalogue, the order in which findings were seen, or which thread, file or
//! machine saw them.
//!
//! # Why any order leads to the same summary
//!
//! Each worker has its own summary, each report of another machine becomes one again, and all of them are
//! merged. That is only correct if merging is a *commutative monoid*: associative, commutative, and with the
//! empty summary as its identity. Sums, minima, maxima and unions are. The trouble is memory: a log with a
//! million databases must not need a million entries, and "the first 1,000 that were seen" depends on the
//! order.
//!
//! So every bounded collection keeps the **K smallest** by an order that does not depend on the run:
//!
//! | collection | order | bound |
//! |---|---|---|
//! | [`CodeSummary::args`], [`Distinct`] | a stable hash of the arguments | [`MAX_ARG_SETS`], [`MAX_DISTINCT`] |
//! | [`ArgSet::databases`], [`CodeSummary::servers`], [`BoundedNames`] | the name | [`MAX_DATABASES`], [`MAX_SERVERS`], [`MAX_NAMES`] |
//! | [`CodeSummary::samples`], [`CodeSummary::drift`] | path, member, offset | [`MAX_SAMPLES`], 1 |
//! | [`Attempts`] | the id; the hour, latest first | [`MAX_NAMES`], 10,000 |
//!
//! The K smallest of a union are the K smallest of the K smallest of both sides, so cutting early loses
//! nothing that would have been kept. With K = 2, `{3, 7, 9}` is cut to `{3, 7}` and `{1, 8}` stays; both
//! merge to `{1, 3}`, as does the union.
//!
//! **Invariant:** the count beside a kept item is exact. An item is only dropped when K smaller ones are
//! kept, and these are never dropped in favour of a larger one. So the dropped item can never come back with
//! a part of its count. What was cut is counted (`other_databases`) or flagged (`truncated`), and reports say
//! so.

mod arg_set;
mod attempts;
mod code;
mod distinct;
mod migration;
mod severity;
pub mod timeline;

pub use arg_set::{ArgSet, args_hash};
pub use attempts::{ATTEMPT_GAP, Attempt, Attempts, LastAttempt};
pub use code::{CodeSummary, Drift};
pub use distinct::{Distinct, PriorCount, ReportedCount};
pub use migration::{BoundedNames, MAX_NAMES, MigrationFacts};
pub use severity::SeverityCounts;

use crate::catalog::Entry;
use crate::context::Time;
use crate::finding::Finding;
use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

/// The most argument sets kept for one code.
pub const MAX_ARG_SETS: usize = 10_000;
/// The most distinct hashes counted for one code; beyond that a distinct count is a lower bound.
pub const MAX_DISTINCT: usize = 1 << 20;
/// The most databases named for one argument set.
pub const MAX_DATABASES: usize = 1_000;
/// The most servers counted for one code.
pub const MAX_SERVERS: usize = 1_000;
/// The most findings kept as samples of a code.
pub const MAX_SAMPLES: usize = 5;

/// What many findings say, by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// One summary for each id found.
    pub codes: BTreeMap<Arc<str>, CodeSummary>,
    /// What the findings' context says about the migrations.
    pub migration: MigrationFacts,
    /// The attempts that the findings belong to.
    pub attempts: Attempts,
}

impl Summary {
    /// Adds a finding of the source with number `source`, but not as a sample: see [`Summary::sample`].
    ///
    /// `entry` is the finding's catalogue entry, if it has one. It says which argument names a server.
    pub fn add(&mut self, finding: &Finding, entry: Option<&Entry>, source: u32) {
        self.migration.add(finding);
        self.attempts.add(finding);
        self.code(finding).add(finding, entry, source);
    }

    /// Keeps a finding as a sample of its code, if it is among the first.
    ///
    /// This is apart from [`Summary::add`] because a worker adds findings before their line numbers are
    /// known. Samples are taken where findings are written in order.
    pub fn sample(&mut self, finding: &Finding) {
        self.code(finding).sample(finding);
    }

    fn code(&mut self, finding: &Finding) -> &mut CodeSummary {
        self.codes
            .entry(finding.id.clone())
            .or_insert_with(|| CodeSummary::new(finding.code, finding.title.clone(), finding.known))
    }

    /// Adds another summary.
    pub fn merge(&mut self, other: Summary) {
        self.migration.merge(other.migration);
        self.attempts.merge(other.attempts);
        for (id, code) in other.codes {
            match self.codes.entry(id) {
                btree_map::Entry::Vacant(place) => {
                    place.insert(code);
                }
                btree_map::Entry::Occupied(mut place) => place.get_mut().merge(code),
            }
        }
    }

    /// Returns the number of findings.
    pub fn findings(&self) -> u64 {
        self.codes.values().map(CodeSummary::count).sum()
    }
}

/// The first and last of some times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// The earliest.
    pub first: Option<Time>,
    /// The latest.
    pub last: Option<Time>,
}

impl Times {
    /// Adds a time.
    pub fn add(&mut self, time: Option<Time>) {
        self.merge(Times { first: time, last: time });
    }

    /// Adds other times.
    pub fn merge(&mut self, other: Times) {
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }
}
