//! The sanitizer: removes what a finding must not show. Secrets always, names if redaction is asked for.
//!
//! A finding comes in as it was built. It goes out with secrets masked and, if there is a redactor, with
//! tokens for names: in its arguments, text, context and migration info. Its wording and place stay. What is
//! a secret, and which token a name has, is known to `redact`.
//!
//! Arguments are easy: the catalogue says what each one is a name of. The text is harder. It has the same
//! names, but a name may also be a word of the message (a server called `server`), or the name of two things
//! (a database and a role). So a name made of the message's own words is only replaced after a word that
//! precedes its argument in the template; any other name is replaced wherever it occurs. If a name cannot be
//! found where it must be, the whole text is masked.

use super::Finding;
use crate::catalog::{ArgValue, Entry, Subject, TemplatePart};
use crate::context::{Context, Level, MigrationInfo, State};
use crate::matcher::MatchQuality;
use crate::matcher::bytes::lossy;
use crate::matcher::normalized::secrets_in;
use crate::redact::secrets::{MASK, cut};
use crate::redact::{KnownName, NamePosition, Redactor};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Removes secrets and names from findings.
#[derive(Debug)]
pub struct Sanitizer<'r> {
    redactor: Option<&'r Redactor>,
    /// The last migration info, before and after redaction: consecutive findings share it.
    migration_info: Option<(Arc<MigrationInfo>, Arc<MigrationInfo>)>,
    /// The databases of a migration, before and after redaction: findings with different ids share them, too.
    databases: Option<(Names, Names)>,
    words: HashMap<Arc<str>, Words>,
}

/// Names that findings share.
type Names = Arc<BTreeSet<String>>;

/// The words of an entry's messages.
#[derive(Debug, Default)]
struct Words {
    /// All words, in lower case.
    all: HashSet<String>,
    /// The words before each argument, by the argument's name.
    before: HashMap<Arc<str>, Vec<String>>,
}

impl<'r> Sanitizer<'r> {
    /// Returns a sanitizer that masks secrets and, with a redactor, replaces names by tokens.
    pub fn new(redactor: Option<&'r Redactor>) -> Sanitizer<'r> {
        Sanitizer { redactor, migration_info: None, databases: None, words: HashMap::new() }
    }

    /// Removes what `finding` must not show. `entry` is its catalogue entry, if it has one.
    pub fn sanitize(&mut self, finding: &mut Finding, entry: Option<&Entry>) {
        if let Some(redactor) = self.redactor {
            self.redact(redactor, finding, entry);
        }
        // The text and the arguments were cut out of a line whose secrets were masked.
        let Context { database, server, migration, validation, state, level } = &mut finding.context;
        for value in [database, server, migration, validation].into_iter().flatten() {
            mask_value(value);
        }
        // The known states and levels are not secret.
        if let Some(State::Other(word)) = state {
            mask_word(word);
        }
        if let Some(Level::Other(word)) = level {
            mask_word(word);
        }
    }

    fn redact(&mut self, redactor: &Redactor, finding: &mut Finding, entry: Option<&Entry>) {
        if !finding.text.is_empty() {
            let text = self.text(redactor, finding, entry);
            finding.text = text.unwrap_or_else(|| MASK.into());
        }
        for (name, value) in &mut finding.args {
            *value = redactor.redact_argument(subject(entry, name), value);
        }
        let Context { database, server, migration, validation, state, level } = &mut finding.context;
        let replace = |value: &mut Option<String>, token: &dyn Fn(&str) -> String| {
            if let Some(value) = value {
                *value = token(value);
            }
        };
        replace(database, &|name| redactor.token_for(Subject::Database, name));
        replace(server, &|name| redactor.server(name));
        replace(migration, &|id| redactor.migration(id));
        replace(validation, &|word| redactor.word(word));
        if let Some(State::Other(word)) = state {
            *word = redactor.word(word).into();
        }
        if let Some(Level::Other(word)) = level {
            *word = redactor.word(word).into();
        }
        if let Some(info) = &mut finding.migration_info {
            let known = self.migration_info.as_ref().filter(|(original, _)| Arc::ptr_eq(original, info));
            let shown = match known {
                Some((_, shown)) => shown.clone(),
                None => {
                    let databases =
                        self.databases.take().filter(|(original, _)| Arc::ptr_eq(original, &info.databases));
                    let databases = databases.unwrap_or_else(|| {
                        let token = |name: &String| redactor.token_for(Subject::Database, name);
                        (info.databases.clone(), Arc::new(info.databases.iter().map(token).collect()))
                    });
                    let shown = Arc::new(redacted(redactor, info, databases.1.clone()));
                    self.databases = Some(databases);
                    self.migration_info = Some((info.clone(), shown.clone()));
                    shown
                }
            };
            *info = shown;
        }
        // Other lines may name anything.
        finding.context_lines = None;
    }

    /// Returns the text without names, or none if an argument cannot be found in it.
    fn text(&mut self, redactor: &Redactor, finding: &Finding, entry: Option<&Entry>) -> Option<String> {
        let words = match entry {
            Some(entry) => self.words.entry(entry.id.clone()).or_insert_with(|| Words::new(entry)),
            None => self.words.entry("".into()).or_default(),
        };
        let mut known = Vec::new();
        for (name, value) in &finding.args {
            let Some(subject) = subject(entry, name) else { continue };
            let values = match value {
                ArgValue::One(value) => std::slice::from_ref(value),
                ArgValue::Many(values) => values,
            };
            for value in values {
                known.push(KnownName { subject, name: value, position: words.position(name, value) });
            }
        }
        for i in 0..known.len() {
            let (one, others) = (&known[i], known.iter().enumerate());
            let same = |other: &KnownName<'_>| {
                other.name.eq_ignore_ascii_case(one.name) && other.subject != one.subject
            };
            let shared = others.into_iter().any(|(at, other)| at != i && same(other));
            if shared
                && let Some((name, _)) =
                    finding.args.iter().find(|(name, _)| subject(entry, name) == Some(one.subject))
            {
                known[i].position = NamePosition::AfterIfAny(words.before(name));
            }
        }
        let drifted = finding.wording == MatchQuality::Drifted;
        let text = redactor.redact_text(&finding.text, &known, drifted)?;
        // Names from the context may be in the message, but need not be.
        let Context { database, server, .. } = &finding.context;
        let around = [(Subject::Database, database), (Subject::Server, server)];
        let around = around.into_iter().filter_map(|(subject, name)| {
            let name = name.as_deref()?;
            let position = if words.is_own(name) {
                NamePosition::QuotedOrAfter(Vec::new())
            } else {
                NamePosition::Anywhere
            };
            Some(KnownName { subject, name, position })
        });
        Some(redactor.redact_known(&text, &around.collect::<Vec<_>>()))
    }
}

impl Words {
    fn new(entry: &Entry) -> Words {
        let mut words = Words::default();
        for template in entry.wordings.iter().chain(&entry.followups) {
            for sentence in &template.sentences {
                let mut last: Option<String> = None;
                for part in &sentence.parts {
                    match part {
                        TemplatePart::Literal(literal) => {
                            let all = split(literal).map(str::to_lowercase);
                            words.all.extend(all);
                            last = split(literal).last().map(str::to_string);
                        }
                        TemplatePart::Argument(index) => {
                            let name = entry.arguments[*index].name.clone();
                            words.before.entry(name).or_default().extend(last.take());
                        }
                    }
                }
            }
        }
        words.all.extend(split(&entry.title).map(str::to_lowercase));
        words
    }

    /// Returns whether a name consists of words of the messages.
    fn is_own(&self, name: &str) -> bool {
        split(name).all(|word| self.all.contains(&word.to_lowercase()))
    }

    /// Returns the words that may precede an argument.
    fn before(&self, argument: &str) -> Vec<String> {
        self.before.get(argument).cloned().unwrap_or_default()
    }

    /// Returns where to look for the value `name` of an argument.
    fn position(&self, argument: &str, name: &str) -> NamePosition {
        if self.is_own(name) {
            NamePosition::QuotedOrAfter(self.before(argument))
        } else {
            NamePosition::Anywhere
        }
    }
}

/// Splits a text into words. A name is never replaced inside a word.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// What the argument names, if that is private.
fn subject(entry: Option<&Entry>, argument: &str) -> Option<Subject> {
    entry?.subject(argument).filter(|subject| subject.is_private())
}

fn mask_word(word: &mut Box<str>) {
    if let Some(masked) = masked(word) {
        *word = masked.into();
    }
}

fn mask_value(value: &mut String) {
    if let Some(masked) = masked(value) {
        *value = masked;
    }
}

/// The value with its secrets masked, if it has any. It may be a text with escapes of its own.
fn masked(value: &str) -> Option<String> {
    match cut(value.as_bytes(), 0..value.len(), &secrets_in(value.as_bytes())) {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(lossy(&masked).into_owned()),
    }
}

fn redacted(redactor: &Redactor, info: &MigrationInfo, databases: Names) -> MigrationInfo {
    let server = |name: &Option<String>| name.as_deref().map(|name| redactor.server(name));
    MigrationInfo {
        resource: info.resource.as_deref().map(|id| redactor.migration(id)),
        source: server(&info.source),
        target: server(&info.target),
        server: server(&info.server),
        databases,
        tracking: info.tracking.clone(),
        state: info.state.as_ref().map(|state| State::from(&*redactor.word(state.as_str()))),
        started: info.started,
        ended: info.ended,
    }
}
