//! What has changed between two runs: which failures are fixed, which are new, which are still there.
//!
//! Two [`Summary`]s come in, a [`Difference`] goes out. A failure is told by its id, arguments and database, never by
//! where or when a log says it, so that the logs of a new attempt compare with those of the last. Where a summary does
//! not keep every set of arguments, what it would have kept is known from the order in which sets are kept: only what
//! lies beyond is undecided, and is said to be.

use crate::catalog::Severity;
use crate::finding::Args;
use crate::summary::{ArgSet, CodeSummary, SeverityCounts, Summary};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What has changed. Each list is ordered by severity (worst first), id, arguments and database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Failures of the old run alone.
    pub fixed: Vec<Failure>,
    /// Failures of the new run alone.
    pub new: Vec<Failure>,
    /// Failures of both.
    pub still_failing: Vec<Failure>,
    /// Failures that one run lists, of which the other, as its list is cut, does not say whether it has them.
    pub undecided: Vec<Failure>,
    /// Codes with sets of arguments or databases that a run has counted but does not list, by id.
    pub truncated: Vec<Truncated>,
}

/// Something to be fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The entry's id.
    pub id: Arc<str>,
    /// The entry's code.
    pub code: Option<Arc<str>>,
    /// The entry's title.
    pub title: Arc<str>,
    /// The worst severity it was found with, in the newest run that has it.
    pub severity: Severity,
    /// Its arguments.
    pub args: Args,
    /// The database; none where no finding with these arguments names one.
    pub database: Option<String>,
    /// Findings of the old run.
    pub old_count: u64,
    /// Findings of the new run.
    pub new_count: u64,
}

/// A code of which a run does not list everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncated {
    /// The entry's id.
    pub id: Arc<str>,
    /// Findings of the old run that it lists without their arguments or database.
    pub old_unlisted: u64,
    /// Findings of the new run that it lists without their arguments or database.
    pub new_unlisted: u64,
}

impl Difference {
    /// Compares `old` with `new`.
    pub fn new(old: &Summary, new: &Summary) -> Difference {
        let mut difference = Difference::default();
        let ids: BTreeSet<&Arc<str>> = old.codes.keys().chain(new.codes.keys()).collect();
        for id in ids {
            difference.code(id, old.codes.get(id), new.codes.get(id));
        }
        for list in [
            &mut difference.fixed,
            &mut difference.new,
            &mut difference.still_failing,
            &mut difference.undecided,
        ] {
            list.sort_by(|a, b| {
                (b.severity, &a.id, &a.args, &a.database).cmp(&(a.severity, &b.id, &b.args, &b.database))
            });
        }
        difference
    }

    fn code(&mut self, id: &Arc<str>, old: Option<&CodeSummary>, new: Option<&CodeSummary>) {
        let Some(told) = new.or(old) else { return };
        let unlisted = |code: Option<&CodeSummary>| code.map_or(0, unlisted);
        let (old_unlisted, new_unlisted) = (unlisted(old), unlisted(new));
        if old_unlisted > 0 || new_unlisted > 0 {
            self.truncated.push(Truncated { id: id.clone(), old_unlisted, new_unlisted });
        }
        let hashes: BTreeSet<u64> =
            [old, new].into_iter().flatten().flat_map(|code| code.args.keys().copied()).collect();
        for hash in hashes {
            let side = |code| Side::new(code, hash);
            let (old, new) = (side(old), side(new));
            let Some(args) = new.set.or(old.set).map(|set| &set.args) else { continue };
            for database in old.databases().chain(new.databases()).collect::<BTreeSet<_>>() {
                let (before, after) = (old.found(database), new.found(database));
                let list = match (before, after) {
                    (Some(_), Some(_)) => &mut self.still_failing,
                    (Some(_), None) if new.would_list(database) => &mut self.fixed,
                    (None, Some(_)) if old.would_list(database) => &mut self.new,
                    _ => &mut self.undecided,
                };
                let newest = after.or(before).unwrap_or_default();
                list.push(Failure {
                    id: id.clone(),
                    code: told.code.clone(),
                    title: told.title.clone(),
                    severity: newest.worst(),
                    args: args.clone(),
                    database: database.map(str::to_string),
                    old_count: before.unwrap_or_default().total(),
                    new_count: after.unwrap_or_default().total(),
                });
            }
        }
    }
}

/// One run and one set of arguments.
#[derive(Clone, Copy)]
struct Side<'s> {
    set: Option<&'s ArgSet>,
    /// Whether the run would list the set if it had it.
    would_list: bool,
}

impl<'s> Side<'s> {
    fn new(code: Option<&'s CodeSummary>, hash: u64) -> Side<'s> {
        // Those with the smallest hashes are kept.
        let would_list = code.is_none_or(|code| {
            !code.args_truncated() || code.args.last_key_value().is_some_and(|(last, _)| hash <= *last)
        });
        Side { set: code.and_then(|code| code.args.get(&hash)), would_list }
    }

    /// The databases that fail; none is one where no other is known. A finding without a database is of a failure that
    /// another finding names the database of.
    fn databases(self) -> impl Iterator<Item = Option<&'s str>> {
        let without_database = self.set.is_some_and(|set| set.databases.is_empty()).then_some(None);
        let named = self.set.into_iter().flat_map(|set| set.databases.keys().map(|name| Some(name.as_str())));
        named.chain(without_database)
    }

    /// Warnings and errors found.
    fn found(self, database: Option<&str>) -> Option<SeverityCounts> {
        let set = self.set?;
        match database {
            Some(database) => set.databases.get(database).copied(),
            None => set.databases.is_empty().then_some(set.without_database),
        }
    }

    /// Whether the run would list the database if it had it.
    fn would_list(self, database: Option<&str>) -> bool {
        // Those with the smallest names are kept.
        let last =
            self.set.filter(|set| set.databases_truncated()).and_then(|set| set.databases.last_key_value());
        self.would_list && last.is_none_or(|(last, _)| database.is_none_or(|name| name <= last.as_str()))
    }
}

/// Findings that are counted but not listed with arguments and database.
fn unlisted(code: &CodeSummary) -> u64 {
    let listed: u64 = code.args.values().map(|set| set.count).sum();
    let other_databases: u64 = code.args.values().map(|set| set.other_databases.total()).sum();
    code.count() - listed + other_databases
}
