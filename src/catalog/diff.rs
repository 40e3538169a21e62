//! The differences between two catalogues.
//!
//! Two [`Catalog`]s come in, the entries that only one has and the fields in which the others differ go out. As in the
//! catalogue's fingerprint, all that decides what a scan finds and reports counts. The order of entries, examples,
//! negatives and the lines of a file do not.

use super::{Argument, Catalog, CodeSpace, Entry, Merge, Subject, Template, Vendor, render};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// The differences between an old and a new catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CatalogDifference {
    /// The code spaces that only one has, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_spaces: Option<FieldChange>,
    /// Entries that only the new catalogue has, in its order.
    pub added: Vec<EntryName>,
    /// Entries that only the old catalogue has, in its order.
    pub removed: Vec<EntryName>,
    /// Entries with different wordings, in the new catalogue's order.
    pub reworded: Vec<ChangedEntry>,
    /// Entries with the same wordings in which something else differs.
    pub changed: Vec<ChangedEntry>,
}

/// An entry that only one catalogue has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryName {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// An entry that both have, with its differences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedEntry {
    /// Its id.
    pub id: String,
    /// Its title in the new catalogue.
    pub title: String,
    /// The fields that differ, wordings first.
    pub changes: Vec<FieldChange>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Its key in pattern files.
    pub field: &'static str,
    /// Values that only the old entry has.
    pub removed: Vec<String>,
    /// Values that only the new entry has.
    pub added: Vec<String>,
}

impl CatalogDifference {
    /// Compares `old` with `new`.
    pub fn new(old: &Catalog, new: &Catalog) -> CatalogDifference {
        let known: HashMap<&str, &Entry> = old.entries.iter().map(|entry| (&*entry.id, &**entry)).collect();
        let stays: HashSet<&str> = new.entries.iter().map(|entry| &*entry.id).collect();
        let spaces = |catalog: &Catalog| -> Vec<String> {
            let text = |space: &CodeSpace| format!("{space} ({})", space.word());
            catalog.code_spaces.iter().map(text).collect()
        };
        let mut difference = CatalogDifference {
            code_spaces: FieldChange::new("code_space", &spaces(old), &spaces(new)),
            removed: old
                .entries
                .iter()
                .filter(|entry| !stays.contains(&*entry.id))
                .map(|e| named(e))
                .collect(),
            ..CatalogDifference::default()
        };
        for entry in &new.entries {
            let Some(before) = known.get(&*entry.id) else {
                difference.added.push(named(entry));
                continue;
            };
            let changes = changes(before, entry);
            let EntryName { id, title } = named(entry);
            match changes.first().map(|change| change.field) {
                Some("wordings") => difference.reworded.push(ChangedEntry { id, title, changes }),
                Some(_) => difference.changed.push(ChangedEntry { id, title, changes }),
                None => {}
            }
        }
        difference
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == CatalogDifference::default()
    }
}

fn named(entry: &Entry) -> EntryName {
    EntryName { id: entry.id.to_string(), title: entry.title.to_string() }
}

/// Returns the fields in which the entries differ, wordings first.
fn changes(old: &Entry, new: &Entry) -> Vec<FieldChange> {
    let texts = |templates: &[Template]| templates.iter().map(|t| t.text.clone()).collect::<Vec<_>>();
    let arguments = |entry: &Entry| entry.arguments.iter().map(argument).collect::<Vec<_>>();
    let one = |text: &dyn ToString| vec![text.to_string()];
    // Lines of TOML without those that only hold brackets.
    let lines = |text: String| -> Vec<String> {
        text.lines().map(|line| line.trim().to_string()).filter(|line| line.len() > 1).collect()
    };
    let fix = |entry: &Entry| lines(entry.fix.as_ref().map(render::fix).unwrap_or_default());
    // An entry whose file declares no vendor takes over that of the entry that it replaces, so the two do not differ.
    let declared = [old, new].iter().all(|entry| *entry.vendor != Vendor::default());
    let vendor = |entry: &Entry| lines(if declared { render::vendor(&entry.vendor) } else { String::new() });
    let fields = [
        ("wordings", texts(&old.wordings), texts(&new.wordings)),
        ("title", one(&old.title), one(&new.title)),
        ("severity", one(&old.severity), one(&new.severity)),
        ("scope", one(&old.scope), one(&new.scope)),
        ("side", one(&old.side), one(&new.side)),
        ("actor", one(&old.actor), one(&new.actor)),
        ("restart", one(&old.restart), one(&new.restart)),
        ("arguments", arguments(old), arguments(new)),
        ("followups", texts(&old.followups), texts(&new.followups)),
        ("resolutions", texts(&old.resolutions), texts(&new.resolutions)),
        ("links", old.links.clone(), new.links.clone()),
        ("fix", fix(old), fix(new)),
        ("vendor", vendor(old), vendor(new)),
    ];
    let changes = fields.into_iter().filter_map(|(field, old, new)| FieldChange::new(field, &old, &new));
    changes.collect()
}

impl FieldChange {
    /// Compares the values of a field; none if they are the same, whatever their order.
    fn new(field: &'static str, old: &[String], new: &[String]) -> Option<FieldChange> {
        let only = |some: &[String], others: &[String]| -> Vec<String> {
            some.iter().filter(|value| !others.contains(value)).cloned().collect()
        };
        let (removed, added) = (only(old, new), only(new, old));
        (!removed.is_empty() || !added.is_empty()).then_some(FieldChange { field, removed, added })
    }
}

/// Describes an argument: `extensions (0, list, names an extension)`.
fn argument(argument: &Argument) -> String {
    let Argument { name, position, kind, merge, subject } = argument;
    let merge = if *merge == Merge::Max { ", the greatest counts" } else { "" };
    let article = if *subject == Some(Subject::Extension) { "an" } else { "a" };
    let subject = subject.map_or(String::new(), |subject| format!(", names {article} {subject}"));
    format!("{name} ({position}, {kind}{merge}{subject})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Severity, builtin};
    use std::sync::Arc;

    #[test]
    fn each_entry_is_in_its_place() {
        assert!(CatalogDifference::new(builtin(), builtin()).is_empty());
        let mut new = builtin().clone();
        let gone = new.entries.remove(0);
        let mut entry = Entry::clone(&new.entries[0]);
        entry.wordings.remove(0);
        entry.severity = Severity::Warning;
        new.entries[0] = Arc::new(entry);
        let mut entry = Entry::clone(&new.entries[1]);
        entry.resolutions.clear();
        entry.examples.clear();
        entry.title = "New".into();
        new.entries[1] = Arc::new(entry);
        let difference = CatalogDifference::new(builtin(), &new);
        assert_eq!(difference.removed, [named(&gone)]);
        assert_eq!(difference.added, []);
        let fields = |changed: &[ChangedEntry]| -> Vec<&str> {
            changed.iter().flat_map(|entry| entry.changes.iter().map(|change| change.field)).collect()
        };
        assert_eq!(fields(&difference.reworded), ["wordings", "severity"]);
        assert_eq!(fields(&difference.changed), ["title"]);
        assert_eq!(difference.changed[0].changes[0].added, ["New"]);
        new.code_spaces.clear();
        let spaces = CatalogDifference::new(builtin(), &new).code_spaces.expect("a difference");
        assert_eq!((spaces.removed, spaces.added), (vec!["603 and 3 digits (code)".to_string()], vec![]));
        let back = CatalogDifference::new(&new, builtin());
        assert_eq!(back.added, [named(&gone)]);
        assert_eq!(back.reworded[0].changes[0].added.len(), 1);
    }
}
