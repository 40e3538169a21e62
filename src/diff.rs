//! The difference between two runs: which failures are fixed, which are new, which still fail.
//!
//! Two [`Summary`]s come in; a [`Difference`] goes out. Where the summaries are from is not known here.
//!
//! A failure is identified by its id, arguments and database, never by the file or time of a finding, so that
//! the logs of a new attempt compare with those of the last. A summary may not keep every argument set. But
//! it keeps those with the smallest hashes, so it is known what it *would* have kept: a set with a smaller
//! hash than the last kept one that is not listed was not found. Only sets beyond the last kept one are
//! undecided, and are reported as such.

use crate::catalog::{Code, Severity};
use crate::finding::Args;
use crate::summary::{ArgSet, CodeSummary, SeverityCounts, Summary};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The difference between two runs. Each list is ordered by severity (worst first), id, arguments and
/// database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Failures of the old run alone.
    pub fixed: Vec<Failure>,
    /// Failures of the new run alone.
    pub new: Vec<Failure>,
    /// Failures of both.
    pub still_failing: Vec<Failure>,
    /// Failures of one run that the other may have had, too: its list is cut.
    pub undecided: Vec<Failure>,
    /// Codes with argument sets or databases that a run counts but does not list, by id.
    pub truncated: Vec<Truncated>,
}

/// Something to fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The entry's id.
    pub id: Arc<str>,
    /// The entry's code.
    pub code: Option<Code>,
    /// The entry's title.
    pub title: Arc<str>,
    /// The worst severity in the newest run that has it.
    pub severity: Severity,
    /// Its arguments.
    pub args: Args,
    /// The database; none if no finding with these arguments names one.
    pub database: Option<String>,
    /// Findings of the old run.
    pub old_count: u64,
    /// Findings of the new run.
    pub new_count: u64,
}

/// A code that a run does not list everything of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncated {
    /// The entry's id.
    pub id: Arc<str>,
    /// Findings of the old run whose arguments or database are not listed.
    pub old_unlisted: u64,
    /// Findings of the new run whose arguments or database are not listed.
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
        let Some(newest) = new.or(old) else { return };
        let unlisted = |code: Option<&CodeSummary>| code.map_or(0, unlisted);
        let (old_unlisted, new_unlisted) = (unlisted(old), unlisted(new));
        if old_unlisted > 0 || new_unlisted > 0 {
            self.truncated.push(Truncated { id: id.clone(), old_unlisted, new_unlisted });
        }
        let hashes: BTreeSet<u64> =
            [old, new].into_iter().flatten().flat_map(|code| code.args.keys().copied()).collect();
        for hash in hashes {
            let side = |code| RunSide::new(code, hash);
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
                let counts = after.or(before).unwrap_or_default();
                list.push(Failure {
                    id: id.clone(),
                    code: newest.code,
                    title: newest.title.clone(),
                    severity: counts.worst(),
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
struct RunSide<'s> {
    set: Option<&'s ArgSet>,
    /// Whether the run would list the set if it had found it.
    would_list: bool,
}

impl<'s> RunSide<'s> {
    fn new(code: Option<&'s CodeSummary>, hash: u64) -> RunSide<'s> {
        // The sets with the smallest hashes are kept.
        let would_list = code.is_none_or(|code| {
            !code.args_truncated() || code.args.last_key_value().is_some_and(|(last, _)| hash <= *last)
        });
        RunSide { set: code.and_then(|code| code.args.get(&hash)), would_list }
    }

    /// Returns the databases that fail. `None` is one of them only if no database is known: else findings
    /// without a database repeat failures that are listed with one.
    fn databases(self) -> impl Iterator<Item = Option<&'s str>> {
        let without_database = self.set.is_some_and(|set| set.databases.is_empty()).then_some(None);
        let named = self.set.into_iter().flat_map(|set| set.databases.keys().map(|name| Some(name.as_str())));
        named.chain(without_database)
    }

    /// Returns the findings in a database.
    fn found(self, database: Option<&str>) -> Option<SeverityCounts> {
        let set = self.set?;
        match database {
            Some(database) => set.databases.get(database).copied(),
            None => set.databases.is_empty().then_some(set.without_database),
        }
    }

    /// Returns whether the run would list the database if it had found it.
    fn would_list(self, database: Option<&str>) -> bool {
        // The databases with the smallest names are kept.
        let last =
            self.set.filter(|set| set.databases_truncated()).and_then(|set| set.databases.last_key_value());
        self.would_list && last.is_none_or(|(last, _)| database.is_none_or(|name| name <= last.as_str()))
    }
}

/// Returns the number of findings that are counted but not listed with arguments and database.
fn unlisted(code: &CodeSummary) -> u64 {
    let listed: u64 = code.args.values().map(|set| set.count).sum();
    let other_databases: u64 = code.args.values().map(|set| set.other_databases.total()).sum();
    code.count() - listed + other_databases
}
