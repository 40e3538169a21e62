//! Distinct counts: exact ones by hashes, and those that an earlier report already made.
//!
//! Stable hashes come in, or a number that a report states; a count goes out, and whether it is only a lower
//! bound. What the hashes are of is not known here.

use super::MAX_DISTINCT;
use std::collections::BTreeSet;

/// A count of distinct things by their stable hashes, exact up to [`MAX_DISTINCT`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distinct {
    hashes: BTreeSet<u64>,
    /// Whether there were more: the count is a lower bound.
    pub truncated: bool,
}

impl Distinct {
    /// Adds a thing by its hash.
    pub(super) fn add(&mut self, hash: u64) {
        if self.hashes.insert(hash) && self.hashes.len() > MAX_DISTINCT {
            self.hashes.pop_last();
            self.truncated = true;
        }
    }

    /// Adds all that `other` holds.
    pub(super) fn merge(&mut self, other: Distinct) {
        self.truncated |= other.truncated;
        other.hashes.into_iter().for_each(|hash| self.add(hash));
    }

    /// Returns the number of distinct things.
    pub fn count(&self) -> u64 {
        self.hashes.len() as u64
    }

    /// Returns how many of these are not in `subset`, which holds nothing else.
    ///
    /// Both sides keep their smallest hashes. So a hash that is kept here and was added to `subset` is kept
    /// there, too, and a cut never makes it look absent.
    pub(super) fn count_without(&self, subset: &Distinct) -> u64 {
        self.hashes.difference(&subset.hashes).count() as u64
    }
}

/// A distinct count as a report states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedCount {
    /// The count.
    pub count: u64,
    /// Whether it is only a lower bound.
    pub lower_bound: bool,
}

/// A distinct count of an earlier report, which may be more than the report lists.
///
/// A report states "70,000 sets of arguments" and lists 10,000. The 60,000 others are not known by their
/// hashes, so two such counts cannot be added: the same sets may be in both. Their maximum is a lower bound
/// of the union, and that is what merging keeps; it is marked as a lower bound as soon as both sides have
/// findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriorCount {
    pub(super) count: u64,
    /// Whether the report counted more than it lists.
    unlisted: bool,
    /// Whether the count is a lower bound.
    pub(super) truncated: bool,
}

impl PriorCount {
    /// Returns the count of a report that lists `listed` of the things it counted.
    pub(super) fn new(reported: ReportedCount, listed: u64) -> PriorCount {
        let ReportedCount { count, lower_bound } = reported;
        PriorCount { count, unlisted: count > listed, truncated: lower_bound }
    }

    /// Adds another count. `overlap` is whether both sides have findings at all.
    pub(super) fn merge(&mut self, other: PriorCount, overlap: Overlap) {
        self.unlisted |= other.unlisted;
        // What one side does not list may be the same as what the other counted.
        self.truncated |= other.truncated || overlap == Overlap::Possible && self.unlisted;
        self.count = self.count.max(other.count);
    }
}

/// Whether two sides of a merge may have counted the same things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overlap {
    /// Both sides have findings.
    Possible,
    /// One side is empty.
    None,
}
