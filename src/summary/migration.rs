//! Facts about the migrations that findings belong to: what a support case asks for.
//!
//! A finding comes in; the names of migrations, servers, databases and states in its context are kept. Each
//! set keeps its smallest names, so that it merges in any order. What was found is not known here.

use crate::context::{MAX_LISTED, MigrationInfo, State};
use crate::finding::Finding;
use crate::matcher::work;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Weak};

/// The most names kept of one kind.
pub const MAX_NAMES: usize = 1_000;
/// How many sets of names are remembered as added.
const MAX_ADDED: usize = 64;

// What a context leaves out would not be kept here either, and it would still show that there are more.
const _: () = assert!(MAX_LISTED > MAX_NAMES);

/// A bounded set of names: the smallest are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoundedNames {
    /// At most [`MAX_NAMES`].
    pub kept: BTreeSet<String>,
    /// Whether there were more.
    pub truncated: bool,
}

impl BoundedNames {
    /// Adds a name.
    pub fn add(&mut self, name: &str) {
        work::add(1);
        if !self.kept.contains(name) {
            self.kept.insert(name.to_string());
            self.bound();
        }
    }

    /// Adds other names.
    pub fn merge(&mut self, other: BoundedNames) {
        self.truncated |= other.truncated;
        self.kept.extend(other.kept);
        self.bound();
    }

    fn bound(&mut self) {
        while self.kept.len() > MAX_NAMES {
            self.kept.pop_last();
            self.truncated = true;
        }
    }
}

/// The sets of names that were added last. Thousands of findings of a migration share the set of its databases, and adding
/// it again changes nothing.
#[derive(Debug, Clone, Default)]
struct Added(VecDeque<Weak<BTreeSet<String>>>);

impl Added {
    /// Returns whether the set is none of these, and makes it the last of them.
    fn insert(&mut self, names: &Arc<BTreeSet<String>>) -> bool {
        // The address is not used again as long as there is a weak reference to it.
        let known = self.0.iter().rposition(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(names)));
        match known {
            Some(last) if last + 1 == self.0.len() => return false,
            Some(place) => drop(self.0.remove(place)),
            None if self.0.len() == MAX_ADDED => drop(self.0.pop_front()),
            None => {}
        }
        self.0.push_back(Arc::downgrade(names));
        known.is_none()
    }
}

/// What was added last is no part of what a summary says.
impl PartialEq for Added {
    fn eq(&self, _: &Added) -> bool {
        true
    }
}

impl Eq for Added {}

/// What is known about the migrations that the findings belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationFacts {
    /// Ids of migrations.
    pub migrations: BoundedNames,
    /// Resource ids of migrations.
    pub resources: BoundedNames,
    /// Source servers, as the migrations' resources name them.
    pub sources: BoundedNames,
    /// Target servers, as the migrations' resources name them.
    pub targets: BoundedNames,
    /// Servers whose logs were read, and servers that records name.
    pub servers: BoundedNames,
    /// Databases that the migrations' resources name, whether something failed in them or not.
    pub databases: BoundedNames,
    /// States of migrations, databases and validations.
    pub states: BoundedNames,
    /// Ids for searching the service's own logs.
    pub tracking: BoundedNames,
    added: Added,
}

impl MigrationFacts {
    /// Adds what the context of a finding says.
    pub fn add(&mut self, finding: &Finding) {
        let context = &finding.context;
        for (names, name) in [
            (&mut self.migrations, context.migration.as_deref()),
            (&mut self.servers, context.server.as_deref()),
            (&mut self.states, context.state.as_ref().map(State::as_str)),
        ] {
            if let Some(name) = name {
                names.add(name);
            }
        }
        if let Some(info) = finding.migration_info.as_deref() {
            self.add_migration_info(info);
        }
    }

    fn add_migration_info(&mut self, info: &MigrationInfo) {
        for (names, name) in [
            (&mut self.resources, &info.resource),
            (&mut self.sources, &info.source),
            (&mut self.targets, &info.target),
            (&mut self.servers, &info.server),
        ] {
            if let Some(name) = name {
                names.add(name);
            }
        }
        if !info.databases.is_empty() && self.added.insert(&info.databases) {
            info.databases.iter().for_each(|name| self.databases.add(name));
        }
        for ids in info.tracking.iter().filter(|ids| self.added.insert(ids)) {
            ids.iter().for_each(|id| self.tracking.add(id));
        }
    }

    /// Adds all facts of `other`.
    pub fn merge(&mut self, other: MigrationFacts) {
        for (mine, theirs) in [
            (&mut self.migrations, other.migrations),
            (&mut self.resources, other.resources),
            (&mut self.sources, other.sources),
            (&mut self.targets, other.targets),
            (&mut self.servers, other.servers),
            (&mut self.databases, other.databases),
            (&mut self.states, other.states),
            (&mut self.tracking, other.tracking),
        ] {
            mine.merge(theirs);
        }
    }
}
