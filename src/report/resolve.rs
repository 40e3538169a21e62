//! Resolutions: what to do, with what the log named.
//!
//! An entry and the argument sets found come in; each distinct advice goes out once, its placeholders filled: lists as
//! their union, minimums as the greatest, a placeholder that nothing fills as its name. Where the table gives no
//! resolution, the message's own imperative sentences are the advice.

use crate::catalog::{ArgValue, Entry, Merge, Template};
use crate::summary::ArgSet;

/// The most values named in one advice; more are counted.
const MAX_VALUES: usize = 20;
/// What the imperative sentences of messages begin with.
const IMPERATIVES: [&str; 26] = [
    "Add",
    "Allowlist",
    "Alternatively",
    "Change",
    "Check",
    "Configure",
    "Contact",
    "Create",
    "Disable",
    "Drop",
    "Enable",
    "Ensure",
    "Enter",
    "Grant",
    "Increase",
    "Migrate",
    "Provide",
    "Reduce",
    "Refer",
    "Remove",
    "Retry",
    "Revoke",
    "Set",
    "Update",
    "Upgrade",
    "Use",
];

/// What to do about `entry`, given what was found.
pub fn resolutions(entry: &Entry, found: &[ArgSet]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    };
    for resolution in &entry.resolutions {
        add(fill(&resolution.text, entry, found));
    }
    if entry.resolutions.is_empty() {
        for wording in &entry.wordings {
            add(fill(&advice(wording), entry, found));
        }
        texts.truncate(1);
    }
    texts
}

/// The imperative sentences of a message; empty if it has none.
fn advice(wording: &Template) -> String {
    let imperative = |sentence: &&str| {
        let first = sentence.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        IMPERATIVES.contains(&first)
    };
    wording.sentence_texts().into_iter().filter(imperative).collect::<Vec<_>>().join(" ")
}

/// `text` with what was found in place of `{name}`.
pub(super) fn fill(text: &str, entry: &Entry, found: &[ArgSet]) -> String {
    Template::fill(text, |name| {
        let merge =
            entry.arguments.iter().find(|argument| &*argument.name == name).map(|argument| argument.merge);
        let values = values(name, found);
        match (merge, values.is_empty()) {
            (_, true) => format!("<{name}>"),
            (Some(Merge::Max), _) => {
                values.into_iter().max_by_key(|value| version(value)).unwrap_or_default()
            }
            _ => {
                let more = values.len().saturating_sub(MAX_VALUES);
                let named = values.into_iter().take(MAX_VALUES).collect::<Vec<_>>().join(", ");
                if more > 0 { format!("{named} and {more} more") } else { named }
            }
        }
    })
}

/// The distinct values of an argument, lists item by item, in order.
fn values(name: &str, found: &[ArgSet]) -> Vec<String> {
    let mut values = std::collections::BTreeSet::new();
    for (_, value) in found.iter().flat_map(|set| &set.args).filter(|(known, _)| &**known == name) {
        match value {
            ArgValue::One(value) => {
                values.insert(value.clone());
            }
            ArgValue::Many(items) => values.extend(items.iter().cloned()),
        }
    }
    values.into_iter().collect()
}

/// Numbers and versions by their parts: 9.6 is less than 10.
fn version(value: &str) -> Vec<u64> {
    value.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn set(args: &[(&str, ArgValue)]) -> ArgSet {
        let args = args.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        ArgSet::new(args)
    }

    fn one(value: &str) -> ArgValue {
        ArgValue::One(value.to_string())
    }

    #[test]
    fn minimums_become_their_maximum_and_lists_their_union() {
        let catalog = builtin();
        let slots = catalog.entry("603105").expect("there");
        let found =
            [set(&[("min_replication_slots", one("9"))]), set(&[("min_replication_slots", one("12"))])];
        let texts = resolutions(slots, &found);
        assert_eq!(texts.len(), 1);
        assert!(texts[0].contains("'max_replication_slots' server parameter to 12 or higher"), "{texts:?}");
        let extensions = catalog.entry("603108").expect("there");
        let list = |items: &[&str]| ArgValue::Many(items.iter().map(|item| (*item).to_string()).collect());
        let found = [set(&[("extensions", list(&["b", "a"]))]), set(&[("extensions", list(&["c", "a"]))])];
        assert_eq!(resolutions(extensions, &found), ["Allowlist the extensions and retry the migration."]);
        let preload = catalog.entry("603109").expect("there");
        assert!(resolutions(preload, &found)[0].starts_with("Follow the steps"));
    }

    #[test]
    fn what_nothing_fills_is_named() {
        let entry = builtin().entry("603410").expect("there");
        let texts = resolutions(entry, &[]);
        assert!(texts[0].contains("User `<user>` has '<permissions>' permissions"), "{texts:?}");
        for entry in &builtin().entries {
            for text in resolutions(entry, &[]) {
                assert!(!text.contains('{') && !text.contains('}'), "{}: {text}", entry.id);
            }
        }
    }

    #[test]
    fn every_entry_without_resolution_has_advice_or_is_known_to_have_none() {
        for entry in &builtin().entries {
            let none = ["603113", "603114", "603401", "603409", "603700"].contains(&&*entry.id);
            assert_eq!(resolutions(entry, &[]).is_empty(), none, "{}", entry.id);
        }
    }
}
