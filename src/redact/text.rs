//! Text with names in it.
//!
//! Text comes in with the names that are known to stand in it; it goes out with tokens for them and for whatever looks
//! like a name. Where two places overlap, the longer one is replaced and what is left of the other is masked, so that no
//! part of a name stays.

use super::patterns::{self, Kind, Sure};
use super::secrets::MASK;
use super::{Redactor, name};
use crate::catalog::{QUOTES, Subject};
use std::ops::Range;

/// A name that is known to stand in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<'a> {
    /// What it names.
    pub subject: Subject,
    /// The name.
    pub name: &'a str,
    /// Where in the text.
    pub place: Where,
}

/// Where a name stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// Wherever it is a whole word.
    Anywhere,
    /// In quotes or behind one of these words: it is a word of the message, too.
    Named(Vec<String>),
    /// Behind one of these words, if there at all: something else has the same name.
    Behind(Vec<String>),
}

/// A place to be replaced.
struct Place {
    range: Range<usize>,
    token: String,
    sure: Sure,
}

impl Redactor {
    /// The text without names; what stands in quotes is taken for one, too, if `quoted`. None if one of those `known`
    /// does not stand in it, so that it may stand there in a form in which it is not seen.
    pub fn text(&self, text: &str, known: &[Known<'_>], quoted: bool) -> Option<String> {
        let mut places = Vec::new();
        for known in known.iter().filter(|known| !known.name.is_empty()) {
            let before = places.len();
            self.places(text, known, &mut places);
            if places.len() == before {
                return None;
            }
        }
        self.looked_for(text, quoted, &mut places);
        Some(self.replaced(text, places))
    }

    /// The text without the names that may stand in it.
    pub fn known_text(&self, text: &str, names: &[Known<'_>]) -> String {
        let mut places = Vec::new();
        names.iter().for_each(|known| self.places(text, known, &mut places));
        self.replaced(text, places)
    }

    /// The text without what looks like a name, what stands in quotes included.
    pub fn free_text(&self, text: &str) -> String {
        let mut places = Vec::new();
        self.looked_for(text, true, &mut places);
        self.replaced(text, places)
    }

    fn places(&self, text: &str, known: &Known<'_>, places: &mut Vec<Place>) {
        let all: Vec<_> = occurrences(text, known.name, known.subject == Subject::Server).collect();
        let behind = |words: &[String]| -> Vec<_> {
            all.iter().filter(|range| is_behind(text, range, words)).cloned().collect()
        };
        let found = match &known.place {
            Where::Anywhere => all,
            Where::Named(words) => {
                all.into_iter().filter(|at| is_quoted(text, at) || is_behind(text, at, words)).collect()
            }
            Where::Behind(words) => Some(behind(words)).filter(|found| !found.is_empty()).unwrap_or(all),
        };
        let token = self.name(known.subject, known.name);
        places.extend(found.into_iter().map(|range| Place {
            range,
            token: token.clone(),
            sure: Sure::Shape,
        }));
    }

    fn looked_for(&self, text: &str, quoted: bool, places: &mut Vec<Place>) {
        patterns::find(text, quoted, |range, kind, sure| {
            let found = &text[range.clone()];
            let token = match kind {
                Kind::Server => self.server(found),
                Kind::Database => self.name(Subject::Database, found),
                Kind::Role => self.name(Subject::Role, found),
                Kind::Table => self.name(Subject::Table, found),
                Kind::Resource => self.resource(found),
                Kind::Subscription => self.token("subscription", &found.to_ascii_lowercase()),
                Kind::Address => self.token("address", &found.to_ascii_lowercase()),
                Kind::Any => self.token("name", found),
            };
            places.push(Place { range, token, sure });
        });
    }

    fn replaced(&self, text: &str, mut places: Vec<Place>) -> String {
        // Stable: of equal places, the known one comes first.
        places.sort_by_key(|place| (place.sure, std::cmp::Reverse(place.range.len())));
        let mut taken: Vec<Place> = Vec::new();
        for place in places {
            let over =
                |other: &&Place| other.range.start < place.range.end && place.range.start < other.range.end;
            let mut left = vec![place.range.clone()];
            for other in taken.iter().filter(over) {
                left = left.into_iter().flat_map(|part| without(part, &other.range)).collect();
            }
            if left == [place.range.clone()] {
                taken.push(place);
                continue;
            }
            // What stands between names may stay: commas of a list.
            let parts = left.into_iter().filter(|part| text[part.clone()].contains(char::is_alphanumeric));
            taken.extend(parts.map(|range| Place { range, token: MASK.into(), sure: place.sure }));
        }
        taken.sort_by_key(|place| place.range.start);
        let mut redacted = String::with_capacity(text.len());
        let mut at = 0;
        for place in &taken {
            redacted.push_str(&text[at..place.range.start]);
            redacted.push_str(&place.token);
            at = place.range.end;
        }
        redacted.push_str(&text[at..]);
        redacted
    }

    /// A word of the service's own, such as a state; whatever is not one word is a name.
    pub fn word(&self, text: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
        if text.len() <= 64 && text.chars().all(plain) && !name::is_uuid(text.as_bytes()) {
            text.to_string()
        } else {
            self.token("name", text)
        }
    }
}

/// What is left of `part` without `taken`.
fn without(part: Range<usize>, taken: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let before = part.start..part.end.min(taken.start);
    let behind = part.start.max(taken.end)..part.end;
    [before, behind].into_iter().filter(|range| range.start < range.end)
}

/// Where `name` stands in `text`, not as a part of a longer word. Blanks in it may be any white space, also a line break
/// with what quotes the next line of a mail.
fn occurrences<'t>(text: &'t str, name: &'t str, any_case: bool) -> impl Iterator<Item = Range<usize>> + 't {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (open, close) = (name.starts_with(word), name.ends_with(word));
    // Nothing stands between any two characters, without end.
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

/// Where the name ends that begins at `start`, if it does.
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

/// Whether what stands at `range` is in quotes.
fn is_quoted(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].trim_end_matches('\\');
    before.ends_with(QUOTES) && text[range.end..].trim_start_matches('\\').starts_with(QUOTES)
}

/// Whether what stands at `range` stands behind one of the words.
fn is_behind(text: &str, range: &Range<usize>, words: &[String]) -> bool {
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

    fn known(subject: Subject, name: &str) -> Known<'_> {
        Known { subject, name, place: Where::Anywhere }
    }

    #[test]
    fn known_names_are_replaced_as_words() {
        let redactor = redactor();
        let token = redactor.name(Subject::Role, "app");
        let found = redactor.text("app in application, 'app'", &[known(Subject::Role, "app")], false);
        assert_eq!(found, Some(format!("{token} in application, '{token}'")));
        let wrapped = redactor.text("role my\n> app x", &[known(Subject::Role, "my app")], false);
        assert_eq!(wrapped, Some(format!("role {} x", redactor.name(Subject::Role, "my app"))));
        assert_eq!(redactor.text("nothing here", &[known(Subject::Role, "app")], false), None);
        let server = redactor.text("SRC-1", &[known(Subject::Server, "src-1")], false);
        assert_eq!(server, Some(redactor.server("src-1")));
    }

    /// Found by a fuzzer: it was found without end.
    #[test]
    fn a_name_of_nothing_stands_nowhere() {
        let redactor = redactor();
        let nothing = known(Subject::Database, "");
        assert_eq!(redactor.known_text("app x", std::slice::from_ref(&nothing)), "app x");
        assert_eq!(redactor.text("app x", &[nothing], false).as_deref(), Some("app x"));
    }

    #[test]
    fn names_that_are_words_of_the_message_are_replaced_where_they_are_names() {
        let redactor = redactor();
        let name =
            Known { place: Where::Named(vec!["Database".into()]), ..known(Subject::Database, "database") };
        let token = redactor.name(Subject::Database, "database");
        let found = redactor.text("database database exists in 'database', a database", &[name], false);
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
            let found = redactor.text(text, &[], false).expect("nothing is known");
            for name in names {
                assert!(!found.contains(name), "{name} in {found}");
            }
            assert!(found.contains("-"), "{found}");
        }
        let free = redactor.free_text("say 'orders' on old.lan");
        assert!(!free.contains("orders") && !free.contains("old"), "{free}");
        for text in
            ["https://aka.ms/x see learn.microsoft.com", "version 3.2.3 at 10:20:30, a.log, pg_catalog.x"]
        {
            assert_eq!(redactor.text(text, &[], false).as_deref(), Some(text));
        }
    }

    #[test]
    fn of_places_that_overlap_nothing_stays() {
        let redactor = redactor();
        let names = [known(Subject::Role, "a b"), known(Subject::Role, "b c d")];
        let found = redactor.text("x a b c d y", &names, false).expect("both are there");
        assert_eq!(found, format!("x {MASK}{} y", redactor.name(Subject::Role, "b c d")));
    }

    /// Redaction leaves the messages of the catalogue as they are, so that they match.
    #[test]
    fn no_message_is_taken_for_a_name() {
        let redactor = redactor();
        for entry in &catalog::builtin().entries {
            for template in entry.wordings.iter().chain(&entry.followups) {
                let filled = catalog::Template::fill(&template.text, |name| format!("x{name}"));
                let bare: String = filled.chars().filter(|c| !QUOTES.contains(c)).collect();
                assert_eq!(redactor.text(&bare, &[], false).as_deref(), Some(bare.as_str()), "{}", entry.id);
            }
        }
    }
}
