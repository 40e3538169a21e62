//! Redaction of a text: names replaced by tokens.
//!
//! Text comes in with the names that a finding knows; it goes out with a token for each of them and for everything else
//! that looks like a name. The module does not know which arguments are private, or what a token is made of.
//!
//! Names are found in two ways. *Known* names (arguments, the database around the message) are searched for as whole
//! words. Then [patterns](`super::patterns`) find what has the shape of a name (an address, a host, a resource id) or is
//! where a name would be (`dbname=…`, `role "…"`). Four things make this harder than it sounds:
//!
//! - **A name can be a word of the message.** In "Database `database` exists" only the quoted one is a name. Such a
//!   name is replaced only in quotes or after the word that the template has before it ([`NamePosition`]).
//! - **One name can be two things.** The role `app` and the server `app` have different tokens, so each is replaced
//!   after its own words where it occurs there.
//! - **A known name must be there.** If it is not found as it is known (the log escaped or wrapped it differently), it
//!   may be there in a form that is not recognized. [`Redactor::redact_text`] then returns none, and the caller masks
//!   the whole text. Where in doubt, less is shown.
//! - **Matches overlap.** Certain matches win over likely ones, longer over shorter; what remains of the loser is
//!   masked. `x a b c d y` with the names `a b` and `b c d` becomes `x ***role-… y`: no part of a name stays.
//!
//! The invariant that the tests hold: redacted messages are still found as the same entries, with the tokens as their
//! arguments.

use super::patterns::{self, Evidence, NameKind};
use super::secrets::MASK;
use super::{Redactor, name};
use crate::catalog::{QUOTES, Subject};
use std::cmp::Reverse;
use std::ops::Range;

/// A name that is known to occur in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownName<'a> {
    /// What it names.
    pub subject: Subject,
    /// The name.
    pub name: &'a str,
    /// Where in the text it is a name.
    pub position: NamePosition,
}

/// Where in a text the occurrences of a word are a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePosition {
    /// Wherever it is a whole word.
    Anywhere,
    /// In quotes or after one of these words: it is a word of the message, too.
    QuotedOrAfter(Vec<String>),
    /// After one of these words, if it occurs there at all: something else has the same name.
    AfterIfAny(Vec<String>),
}

/// A range of the text and its replacement.
struct Replacement {
    range: Range<usize>,
    token: String,
    evidence: Evidence,
}

impl Redactor {
    /// Replaces the names in `text`: those `known`, and whatever looks like one; if `quoted`, also everything in quotes.
    /// Returns none if a known name is not found, because it may be there in a form that is not recognized.
    pub fn redact_text(&self, text: &str, known: &[KnownName<'_>], quoted: bool) -> Option<String> {
        let mut replacements = Vec::new();
        for known in known.iter().filter(|known| !known.name.is_empty()) {
            let before = replacements.len();
            self.find_known(text, known, &mut replacements);
            if replacements.len() == before {
                return None;
            }
        }
        self.find_by_pattern(text, quoted, &mut replacements);
        Some(apply(text, replacements))
    }

    /// Replaces only these names, if they occur in `text`.
    pub fn redact_known(&self, text: &str, names: &[KnownName<'_>]) -> String {
        let mut replacements = Vec::new();
        names.iter().for_each(|known| self.find_known(text, known, &mut replacements));
        apply(text, replacements)
    }

    /// Replaces whatever in `text` looks like a name, and everything in quotes.
    pub fn redact_free_text(&self, text: &str) -> String {
        let mut replacements = Vec::new();
        self.find_by_pattern(text, true, &mut replacements);
        apply(text, replacements)
    }

    /// Keeps a word of the service's own, such as a state; anything else than plain words becomes a token.
    pub fn word(&self, text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
        if text.len() <= 64 && text.chars().all(plain) && !name::is_uuid(text.as_bytes()) {
            text.to_string()
        } else {
            self.token("name", text)
        }
    }

    fn find_known(&self, text: &str, known: &KnownName<'_>, replacements: &mut Vec<Replacement>) {
        let all: Vec<_> = occurrences(text, known.name, known.subject == Subject::Server).collect();
        let after = |words: &[String]| -> Vec<_> {
            all.iter().filter(|range| is_after(text, range, words)).cloned().collect()
        };
        let found = match &known.position {
            NamePosition::Anywhere => all,
            NamePosition::QuotedOrAfter(words) => {
                all.into_iter().filter(|at| is_quoted(text, at) || is_after(text, at, words)).collect()
            }
            NamePosition::AfterIfAny(words) => {
                Some(after(words)).filter(|found| !found.is_empty()).unwrap_or(all)
            }
        };
        let token = self.token_for(known.subject, known.name);
        let replacement = |range| Replacement { range, token: token.clone(), evidence: Evidence::Shape };
        replacements.extend(found.into_iter().map(replacement));
    }

    fn find_by_pattern(&self, text: &str, quoted: bool, replacements: &mut Vec<Replacement>) {
        patterns::find(text, quoted, |range, kind, evidence| {
            let found = &text[range.clone()];
            let token = match kind {
                NameKind::Server => self.server(found),
                NameKind::Database => self.token_for(Subject::Database, found),
                NameKind::Role => self.token_for(Subject::Role, found),
                NameKind::Table => self.token_for(Subject::Table, found),
                NameKind::Resource => self.resource(found),
                NameKind::Subscription => self.token("subscription", &found.to_ascii_lowercase()),
                NameKind::Address => self.token("address", &found.to_ascii_lowercase()),
                NameKind::Any => self.token("name", found),
            };
            replacements.push(Replacement { range, token, evidence });
        });
    }
}

/// Applies the replacements, better and longer ones first. What such a one leaves of another is masked.
fn apply(text: &str, mut replacements: Vec<Replacement>) -> String {
    // The sort is stable: of equal ranges, the known name comes first.
    replacements.sort_by_key(|replacement| (replacement.evidence, Reverse(replacement.range.len())));
    let mut applied: Vec<Replacement> = Vec::new();
    for replacement in replacements {
        let Replacement { range, evidence, .. } = &replacement;
        let overlaps = |other: &&Replacement| other.range.start < range.end && range.start < other.range.end;
        let mut left = vec![range.clone()];
        for other in applied.iter().filter(overlaps) {
            left = left.into_iter().flat_map(|part| without(part, &other.range)).collect();
        }
        if left == [range.clone()] {
            applied.push(replacement);
            continue;
        }
        // Text between names, such as the commas of a list, may stay.
        let parts = left.into_iter().filter(|part| text[part.clone()].contains(char::is_alphanumeric));
        let masked: Vec<_> =
            parts.map(|range| Replacement { range, token: MASK.into(), evidence: *evidence }).collect();
        applied.extend(masked);
    }
    applied.sort_by_key(|replacement| replacement.range.start);
    let mut redacted = String::with_capacity(text.len());
    let mut at = 0;
    for replacement in &applied {
        redacted.push_str(&text[at..replacement.range.start]);
        redacted.push_str(&replacement.token);
        at = replacement.range.end;
    }
    redacted.push_str(&text[at..]);
    redacted
}

/// Returns the parts of `part` before and after `removed`.
fn without(part: Range<usize>, removed: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let before = part.start..part.end.min(removed.start);
    let after = part.start.max(removed.end)..part.end;
    [before, after].into_iter().filter(|range| range.start < range.end)
}

/// Returns where `name` occurs in `text` as a whole word. A blank in it matches any white space, also a line break with
/// the `>` that quotes the next line of a mail.
fn occurrences<'t>(text: &'t str, name: &'t str, any_case: bool) -> impl Iterator<Item = Range<usize>> + 't {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (open, close) = (name.starts_with(word), name.ends_with(word));
    // An empty name would be found between any two characters, without end.
    let mut at = if name.is_empty() { text.len() } else { 0 };
    std::iter::from_fn(move || {
        while at < text.len() {
            let start = at;
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            let Some(end) = match_at(text, start, name, any_case) else { continue };
            let bounded = !(open && text[..start].ends_with(word) || close && text[end..].starts_with(word));
            if bounded {
                at = end;
                return Some(start..end);
            }
        }
        None
    })
}

/// Returns the end of the name that starts at `start`, if it does.
fn match_at(text: &str, start: usize, name: &str, any_case: bool) -> Option<usize> {
    let mut rest = text[start..].chars().peekable();
    let mut end = start;
    let mut wanted = name.chars().peekable();
    while let Some(c) = wanted.next() {
        if c.is_whitespace() {
            while wanted.next_if(|c| c.is_whitespace()).is_some() {}
            let mut blanks = 0;
            while let Some(blank) = rest.next_if(|c| c.is_whitespace() || blanks > 0 && *c == '>') {
                blanks += 1;
                end += blank.len_utf8();
            }
            if blanks == 0 {
                return None;
            }
        } else {
            let found = rest.next()?;
            if found != c && !(any_case && found.eq_ignore_ascii_case(&c)) {
                return None;
            }
            end += c.len_utf8();
        }
    }
    Some(end)
}

/// Whether the text at `range` is in quotes.
fn is_quoted(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].trim_end_matches('\\');
    before.ends_with(QUOTES) && text[range.end..].trim_start_matches('\\').starts_with(QUOTES)
}

/// Whether the text at `range` comes after one of the words, with only white space and quotes between.
fn is_after(text: &str, range: &Range<usize>, words: &[String]) -> bool {
    let between = |c: char| c.is_whitespace() || c == '\\' || QUOTES.contains(&c);
    let before = text[..range.start].trim_end_matches(between);
    words.iter().any(|word| {
        let start = before.len().checked_sub(word.len());
        start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::redact::KEY_BYTES;

    fn redactor() -> Redactor {
        Redactor::new(&[7; KEY_BYTES])
    }

    fn known(subject: Subject, name: &str) -> KnownName<'_> {
        KnownName { subject, name, position: NamePosition::Anywhere }
    }

    #[test]
    fn known_names_are_replaced_as_whole_words() {
        let redactor = redactor();
        let token = redactor.token_for(Subject::Role, "app");
        let found = redactor.redact_text("app in application, 'app'", &[known(Subject::Role, "app")], false);
        assert_eq!(found, Some(format!("{token} in application, '{token}'")));
        let wrapped = redactor.redact_text("role my\n> app x", &[known(Subject::Role, "my app")], false);
        assert_eq!(wrapped, Some(format!("role {} x", redactor.token_for(Subject::Role, "my app"))));
        assert_eq!(redactor.redact_text("nothing here", &[known(Subject::Role, "app")], false), None);
        let server = redactor.redact_text("SRC-1", &[known(Subject::Server, "src-1")], false);
        assert_eq!(server, Some(redactor.server("src-1")));
    }

    /// Found by a fuzzer: the search did not end.
    #[test]
    fn an_empty_name_is_not_found() {
        let redactor = redactor();
        let nothing = known(Subject::Database, "");
        assert_eq!(redactor.redact_known("app x", std::slice::from_ref(&nothing)), "app x");
        assert_eq!(redactor.redact_text("app x", &[nothing], false).as_deref(), Some("app x"));
    }

    #[test]
    fn a_name_that_is_a_word_of_the_message_is_replaced_only_where_it_is_a_name() {
        let redactor = redactor();
        let name = KnownName {
            position: NamePosition::QuotedOrAfter(vec!["Database".into()]),
            ..known(Subject::Database, "database")
        };
        let token = redactor.token_for(Subject::Database, "database");
        let found =
            redactor.redact_text("database database exists in 'database', a database", &[name], false);
        assert_eq!(found, Some(format!("database {token} exists in '{token}', a database")));
    }

    #[test]
    fn what_looks_like_a_name_is_replaced() {
        let redactor = redactor();
        for (text, names) in [
            ("at 10.1.2.3:5432 and fe80::1:2", &["10.1", "fe80"][..]),
            ("mail jdoe@contoso.com now", &["jdoe", "contoso"]),
            ("host src-1.contoso.internal down", &["src-1", "contoso"]),
            ("acme.postgres.database.azure.com", &["acme"]),
            ("in /subscriptions/5c603104-88d1/resourceGroups/prod-eu/x", &["5c603104", "prod-eu"]),
            ("subscription '11111111-2222-3333-4444-555555555555'", &["11111111"]),
            ("dbname=orders user=jdoe", &["orders", "jdoe"]),
            (r#"{"sourceServerName": "src one", "userName": "jdoe"}"#, &["src", "one", "jdoe"]),
            (r#"{\"databaseName\":\"orders\"}"#, &["orders"]),
            (r#"role "jdoe" and table 'accounts'"#, &["jdoe", "accounts"]),
        ] {
            let found = redactor.redact_text(text, &[], false).expect("nothing is known");
            for name in names {
                assert!(!found.contains(name), "{name} in {found}");
            }
            assert!(found.contains("-"), "{found}");
        }
        let free = redactor.redact_free_text("say 'orders' on old.lan");
        assert!(!free.contains("orders") && !free.contains("old"), "{free}");
        for text in
            ["https://aka.ms/x see learn.microsoft.com", "version 3.2.3 at 10:20:30, a.log, pg_catalog.x"]
        {
            assert_eq!(redactor.redact_text(text, &[], false).as_deref(), Some(text));
        }
    }

    #[test]
    fn no_part_of_overlapping_names_stays() {
        let redactor = redactor();
        let names = [known(Subject::Role, "a b"), known(Subject::Role, "b c d")];
        let found = redactor.redact_text("x a b c d y", &names, false).expect("both are there");
        assert_eq!(found, format!("x {MASK}{} y", redactor.token_for(Subject::Role, "b c d")));
    }

    /// Redaction does not change the messages of the catalogue, so that they still match.
    #[test]
    fn no_message_looks_like_a_name() {
        let redactor = redactor();
        for entry in &catalog::builtin().entries {
            for template in entry.wordings.iter().chain(&entry.followups) {
                let filled = catalog::Template::fill(&template.text, |name| format!("x{name}"));
                let bare: String = filled.chars().filter(|c| !QUOTES.contains(c)).collect();
                assert_eq!(
                    redactor.redact_text(&bare, &[], false).as_deref(),
                    Some(bare.as_str()),
                    "{}",
                    entry.id
                );
            }
        }
    }
}
