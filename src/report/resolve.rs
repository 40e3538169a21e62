//! Resolutions: the advice of an entry, filled in with the arguments of its findings.
//!
//! An entry and its argument sets come in, the distinct texts of its advice go out. An entry without a
//! published resolution is resolved by its own message: the sentences of a wording that start with an
//! imperative ("Grant …", "Increase …").
//!
//! # How a placeholder is filled
//!
//! All findings of a code share one advice, so a placeholder is filled with all of their values:
//!
//! - the greatest value, if the catalogue declares that values merge by maximum: `12` for findings with 9 and
//!   12;
//! - else each distinct value once, in order, with the items of lists among them: `hstore, pg_cron`;
//! - the name of the placeholder, `<user>`, if no finding has a value.
//!
//! # Statements
//!
//! A part in backticks that ends with `;` is a statement. It is filled once per argument set and every value
//! is quoted as an identifier. A value that cannot be quoted leaves its placeholder, and a note says why.
//! Only the catalogue's own text can become [`Segment::Code`]. A log whose user is named "DROP TABLE x;", in
//! backticks or not, cannot offer a command to copy.

use crate::catalog::quote::{Quoting, Refusal};
use crate::catalog::{ArgValue, Entry, Merge, Template};
use crate::summary::ArgSet;

/// The most values in one placeholder; the others are counted.
const MAX_VALUES: usize = 20;
/// The first words of imperative sentences in messages.
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

/// A part of an advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Text to read.
    Text(String),
    /// A statement to copy, written by the catalogue.
    Code(String),
}

/// The advice of `entry` for these argument sets, with statements in backticks.
pub fn resolutions(entry: &Entry, found: &[ArgSet]) -> Vec<String> {
    let join = |segments: Vec<Segment>| -> String {
        let shown = segments.into_iter().map(|segment| match segment {
            Segment::Text(text) => text,
            Segment::Code(code) => format!("`{code}`"),
        });
        shown.collect()
    };
    advice(entry, found).into_iter().map(join).collect()
}

/// The advice of `entry` for these argument sets, as text and statements.
pub fn advice(entry: &Entry, found: &[ArgSet]) -> Vec<Vec<Segment>> {
    let mut texts: Vec<Vec<Segment>> = Vec::new();
    let mut add = |text: &str| {
        let segments = segments(text, entry, found);
        if !segments.is_empty() && !texts.contains(&segments) {
            texts.push(segments);
        }
    };
    for resolution in &entry.resolutions {
        add(&resolution.text);
    }
    if entry.resolutions.is_empty() {
        for wording in &entry.wordings {
            add(&imperatives(wording));
        }
        texts.truncate(1);
    }
    texts
}

/// The parts of a template, filled in.
fn segments(text: &str, entry: &Entry, found: &[ArgSet]) -> Vec<Segment> {
    let mut pieces: Vec<Segment> = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('`') {
        let Some(len) = rest[open + 1..].find('`') else { break };
        let (inner, after) = (&rest[open + 1..open + 1 + len], &rest[open + len + 2..]);
        if inner.trim_end().ends_with(';') {
            plain.push_str(&rest[..open]);
            let before = fill(&std::mem::take(&mut plain), entry, found);
            pieces.extend((!before.is_empty()).then_some(Segment::Text(before)));
            pieces.extend(statements(inner, found));
        } else {
            plain.push_str(&rest[..open + len + 2]);
        }
        rest = after;
    }
    plain.push_str(rest);
    let last = fill(&plain, entry, found);
    pieces.extend((!last.is_empty()).then_some(Segment::Text(last)));
    pieces
}

/// The statement for each argument set that changes it, with values quoted as identifiers. A value that
/// cannot be quoted is left out, and a note says why.
fn statements(template: &str, found: &[ArgSet]) -> Vec<Segment> {
    let mut pieces: Vec<Segment> = Vec::new();
    let none = [ArgSet::default()];
    let sets = if found.is_empty() || !template.contains('{') { &none[..] } else { found };
    for set in sets {
        let mut refused = None;
        let statement = Template::fill(template, |name| {
            let value = set.args.iter().find(|(known, _)| &**known == name).map(|(_, value)| value);
            let items = match value {
                None => return format!("<{name}>"),
                Some(ArgValue::One(value)) => std::slice::from_ref(value),
                Some(ArgValue::Many(items)) => items,
            };
            let quoted: Result<Vec<String>, Refusal> =
                items.iter().map(|item| Quoting::Ident.quote(item)).collect();
            quoted.map(|quoted| quoted.join(", ")).unwrap_or_else(|why| {
                refused = Some(why);
                format!("<{name}>")
            })
        });
        let mut add = |piece: Segment| {
            if !pieces.contains(&piece) && pieces.len() < MAX_VALUES {
                pieces.push(piece);
            }
        };
        add(Segment::Code(statement));
        if let Some(why) = refused {
            add(Segment::Text(format!(" (a name in the log is not filled in: {why}) ")));
        }
    }
    pieces
}

/// The imperative sentences of a message; empty if it has none.
fn imperatives(wording: &Template) -> String {
    let imperative = |sentence: &&str| {
        let first = sentence.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        IMPERATIVES.contains(&first)
    };
    wording.sentence_texts().into_iter().filter(imperative).collect::<Vec<_>>().join(" ")
}

/// `text` with each `{name}` replaced by the values of that argument.
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

/// A number or version as its parts, so that 9.6 is less than 10.
fn version(value: &str) -> Vec<u64> {
    value.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn set(args: &[(&str, ArgValue)]) -> ArgSet {
        let args = args.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        ArgSet { args, count: 1, ..ArgSet::default() }
    }

    fn one(value: &str) -> ArgValue {
        ArgValue::One(value.to_string())
    }

    #[test]
    fn minimums_become_their_maximum_and_lists_their_union() {
        let catalog = builtin();
        let slots = catalog.entry("603105").expect("an entry");
        let found =
            [set(&[("min_replication_slots", one("9"))]), set(&[("min_replication_slots", one("12"))])];
        let texts = resolutions(slots, &found);
        assert_eq!(texts.len(), 1);
        assert!(texts[0].contains("'max_replication_slots' server parameter to 12 or higher"), "{texts:?}");
        let extensions = catalog.entry("603108").expect("an entry");
        let list = |items: &[&str]| ArgValue::Many(items.iter().map(|item| (*item).to_string()).collect());
        let found = [set(&[("extensions", list(&["b", "a"]))]), set(&[("extensions", list(&["c", "a"]))])];
        assert_eq!(resolutions(extensions, &found), ["Allowlist the extensions and retry the migration."]);
        let preload = catalog.entry("603109").expect("an entry");
        assert!(resolutions(preload, &found)[0].starts_with("Follow the steps"));
    }

    #[test]
    fn unfilled_placeholders_show_their_names() {
        let entry = builtin().entry("603410").expect("an entry");
        let texts = resolutions(entry, &[]);
        assert!(texts[0].contains("User `<user>` has '<permissions>' permissions"), "{texts:?}");
        for entry in &builtin().entries {
            for text in resolutions(entry, &[]) {
                assert!(!text.contains('{') && !text.contains('}'), "{}: {text}", entry.id);
            }
        }
    }

    #[test]
    fn values_are_quoted_and_never_become_statements() {
        let entry = builtin().entry("603116").expect("an entry");
        let users = ["mig", "a\"; DROP TABLE x; --", "a\n\\! id", "`DROP TABLE x;`"];
        let found: Vec<ArgSet> = users.iter().map(|user| set(&[("user", one(user))])).collect();
        let code = |segments: &[Segment]| -> Vec<String> {
            let code = segments.iter().filter_map(|segment| match segment {
                Segment::Code(code) => Some(code.clone()),
                Segment::Text(_) => None,
            });
            code.collect()
        };
        let advised = advice(entry, &found);
        assert_eq!(
            code(&advised[0]),
            [
                "ALTER ROLE \"mig\" WITH CREATEROLE;",
                "ALTER ROLE \"a\"\"; DROP TABLE x; --\" WITH CREATEROLE;",
                "ALTER ROLE <user> WITH CREATEROLE;",
                "ALTER ROLE \"`DROP TABLE x;`\" WITH CREATEROLE;",
            ]
        );
        let notes = |text: &str| advised[0].iter().any(|s| matches!(s, Segment::Text(t) if t.contains(text)));
        assert!(notes("not filled in: it holds control characters"), "{advised:?}");
        let entry = builtin().entry("603410").expect("an entry");
        assert_eq!(code(&advice(entry, &found).concat()), [""; 0]);
    }

    #[test]
    fn every_entry_without_resolution_has_advice_or_is_known_to_have_none() {
        for entry in &builtin().entries {
            let none = ["603113", "603114", "603401", "603409", "603700"].contains(&&*entry.id);
            assert_eq!(resolutions(entry, &[]).is_empty(), none, "{}", entry.id);
        }
    }
}
