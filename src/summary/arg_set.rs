//! Argument sets: one distinct set of a code's arguments, and how it is identified.
//!
//! Arguments of findings come in; a hash that is the same on every machine goes out, and counts by database.
//! Which set is kept and which is dropped is decided by [`CodeSummary`](super::CodeSummary).

use super::{MAX_DATABASES, SeverityCounts, Times};
use crate::catalog::ArgValue;
use crate::finding::Args;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// One distinct set of arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArgSet {
    /// The arguments.
    pub args: Args,
    /// Findings by database: at most [`MAX_DATABASES`], the first by name.
    pub databases: BTreeMap<String, SeverityCounts>,
    /// Findings without a database.
    pub without_database: SeverityCounts,
    /// Findings of databases that are not among those kept.
    pub other_databases: SeverityCounts,
    /// Findings.
    pub count: u64,
    /// When they were found.
    pub times: Times,
}

impl ArgSet {
    /// Returns how many failures these arguments are: one for each database that is kept, or one where none
    /// is known.
    ///
    /// Findings without a database are no failure of their own next to findings with one:
    /// see [`CodeSummary::failures`](super::CodeSummary::failures).
    pub fn failures(&self) -> u64 {
        (self.databases.len() as u64).max(1)
    }

    /// Returns the findings by severity.
    pub fn by_severity(&self) -> SeverityCounts {
        let mut all = self.without_database;
        self.databases.values().chain([&self.other_databases]).for_each(|counts| all += *counts);
        all
    }

    /// Returns whether it was found for more databases than are kept.
    pub fn databases_truncated(&self) -> bool {
        !self.other_databases.is_empty()
    }

    /// Adds the counts of the same arguments from another summary.
    pub(super) fn merge(&mut self, other: ArgSet) {
        self.count += other.count;
        self.times.merge(other.times);
        self.without_database += other.without_database;
        self.other_databases += other.other_databases;
        for (database, counts) in other.databases {
            *self.databases.entry(database).or_default() += counts;
        }
        self.bound();
    }

    /// Drops databases beyond the bound; their findings are counted without the name.
    pub(super) fn bound(&mut self) {
        while self.databases.len() > MAX_DATABASES {
            let (_, counts) = self.databases.pop_last().unwrap_or_default();
            self.other_databases += counts;
        }
    }
}

/// Returns the hash that identifies these arguments, the same on every machine and day.
pub fn args_hash(args: &Args) -> u64 {
    xxh3_64(&encode_args(args))
}

/// Returns the canonical encoding of the arguments, which is hashed.
///
/// Each part has a marker that says what it is: a single value follows `\0=`, each value of a list `\0,`, and
/// an argument ends with `\0;`. So a list of one and a single text differ. [`hash_in_database`] may append a
/// database.
pub(super) fn encode_args(args: &Args) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(256);
    for (name, value) in args {
        encoded.extend_from_slice(name.as_bytes());
        match value {
            ArgValue::One(value) => {
                encoded.extend_from_slice(b"\0=");
                encoded.extend_from_slice(value.as_bytes());
            }
            ArgValue::Many(values) => {
                for value in values {
                    encoded.extend_from_slice(b"\0,");
                    encoded.extend_from_slice(value.as_bytes());
                }
            }
        }
        encoded.extend_from_slice(b"\0;");
    }
    encoded
}

/// Returns the hash that identifies arguments in a database. Reuses the buffer of [`encode_args`], which is
/// no longer an encoding of the arguments alone.
pub(super) fn hash_in_database(encoded: &mut Vec<u8>, database: &str) -> u64 {
    encoded.extend_from_slice(b"\0@");
    encoded.extend_from_slice(database.as_bytes());
    xxh3_64(encoded)
}
