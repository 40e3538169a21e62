//! Baselines: failures that are known and accepted, each with a reason and perhaps a last day.
//!
//! A TOML file and a catalogue come in; a [`Baseline`] goes out. Applied to a [`Report`], it marks the
//! findings that do not count for the exit code, with the reason. Nothing is removed from the report. Today's
//! date is an argument; the clock is not known here.
//!
//! ```toml
//! [[suppress]]
//! id = "603405"                            # a code, or an entry's id
//! args = { extensions = ["timescaledb"] }  # these must be equal, others may have any value; default: any
//! database = "analytics"                   # default: any, or none
//! reason = "dumped and restored by hand"
//! until = 2025-01-31                       # the last day; default: for ever
//! ```

use crate::catalog::{ArgValue, Catalog, Subject, ValueKind};
use crate::error::{Error, FileProblem};
use crate::redact::Redactor;
use crate::redact::secrets::MASK;
use crate::report::verdict::databases;
use crate::report::{CodeReport, Report, Suppressed, Suppression};
use crate::summary::{ArgSet, SeverityCounts};
use crate::text::LineIndex;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// The most rules in a file.
const MAX_RULES: usize = 10_000;

/// Failures that are known and accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    rules: Vec<Suppression>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    suppress: Vec<Spanned<RawRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    #[serde(default)]
    args: BTreeMap<Spanned<String>, ArgValue>,
    database: Option<String>,
    reason: Spanned<String>,
    until: Option<Spanned<toml::Value>>,
}

impl Baseline {
    /// Parses the baseline `name` with the content `text`. Its ids and arguments are checked against
    /// `catalog`.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] with every problem found.
    pub fn parse(name: &str, text: &str, catalog: &Catalog) -> Result<Baseline, Error> {
        let mut parser =
            RuleParser { file: name, lines: LineIndex::new(text), catalog, problems: Vec::new() };
        let raw: RawFile = match toml::from_str(text) {
            Ok(raw) => raw,
            Err(error) => {
                let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
                parser.problem(error.span().map(|span| span.start), message);
                return Err(Error::Unusable(parser.problems));
            }
        };
        if raw.suppress.len() > MAX_RULES {
            parser.problem(None, format!("{} rules; the most is {MAX_RULES}", raw.suppress.len()));
            return Err(Error::Unusable(parser.problems));
        }
        let rules = raw.suppress.into_iter().map(|rule| parser.rule(rule)).collect();
        if parser.problems.is_empty() {
            Ok(Baseline { rules })
        } else {
            Err(Error::Unusable(parser.problems))
        }
    }

    /// Returns the same with tokens for names, for a report that has tokens, too. Reasons are masked, as they
    /// are free text and may name anything.
    pub fn redacted(mut self, redactor: &Redactor, catalog: &Catalog) -> Baseline {
        for rule in &mut self.rules {
            let entry = catalog.entry(&rule.id);
            for (name, value) in &mut rule.args {
                *value = redactor.redact_argument(entry.and_then(|entry| entry.subject(name)), value);
            }
            rule.database = rule.database.as_deref().map(|name| redactor.token_for(Subject::Database, name));
            rule.reason = MASK.to_string();
        }
        self
    }

    /// Marks in `report` what is known and accepted on the day `today`.
    pub fn apply(&self, report: &mut Report, today: Date) {
        let mut rules = self.rules.clone();
        for rule in &mut rules {
            rule.expired = rule.until.is_some_and(|until| until < today);
        }
        for code in &mut report.codes {
            let mut of_code: Vec<&mut Suppression> =
                rules.iter_mut().filter(|rule| *rule.id == *code.id).collect();
            // Rules that hold go first. An expired rule only records what it would have suppressed.
            of_code.sort_by_key(|rule| rule.expired);
            let (suppressed, open) = suppress(code, &mut of_code);
            (code.suppressed, code.open_databases) = (suppressed, Some(open));
        }
        report.baseline = Some(rules);
    }
}

struct RuleParser<'a> {
    file: &'a str,
    lines: LineIndex,
    catalog: &'a Catalog,
    problems: Vec<FileProblem>,
}

impl RuleParser<'_> {
    fn problem(&mut self, at: Option<usize>, message: String) {
        let place = at.map(|at| self.lines.line(at).to_string());
        self.problems.push(FileProblem { file: self.file.to_string(), place, message });
    }

    fn rule(&mut self, raw: Spanned<RawRule>) -> Suppression {
        let line = self.lines.line(raw.span().start);
        let raw = raw.into_inner();
        let (at, id) = (raw.id.span().start, raw.id.into_inner());
        let entry = self.catalog.entry(&id).cloned();
        let unlisted = self.catalog.is_code(&id);
        if entry.is_none() && !unlisted {
            self.problem(Some(at), format!("no entry {id}; `migsift catalog list` shows them"));
        }
        for (name, value) in &raw.args {
            let at = Some(name.span().start);
            let name = name.get_ref();
            let Some(entry) = &entry else {
                if unlisted {
                    self.problem(
                        at,
                        format!("{id} is not in the catalogue, so that it has no argument `{name}`"),
                    );
                }
                continue;
            };
            match entry.argument(name) {
                None => self.problem(at, format!("{id} has no argument `{name}`")),
                Some(argument) => {
                    let list = argument.kind == ValueKind::List;
                    if list != matches!(value, ArgValue::Many(_)) {
                        let kind = if list { "a list: [\"…\"]" } else { "one text, not a list" };
                        self.problem(at, format!("the argument `{name}` of {id} is {kind}"));
                    }
                }
            }
        }
        if raw.reason.get_ref().trim().is_empty() {
            self.problem(Some(raw.reason.span().start), "the reason is empty".into());
        }
        let until = raw.until.and_then(|until| {
            let date = date(until.get_ref());
            if date.is_none() {
                let message = "`until` is not a day such as 2025-01-31".into();
                self.problem(Some(until.span().start), message);
            }
            date
        });
        Suppression {
            line,
            id: id.into(),
            args: raw.args.into_iter().map(|(name, value)| (name.into_inner().into(), value)).collect(),
            database: raw.database,
            reason: raw.reason.into_inner(),
            until,
            expired: false,
            suppressed: Suppressed::default(),
        }
    }
}

/// Returns a day that is written as a TOML date or as text.
fn date(value: &toml::Value) -> Option<Date> {
    let text = match value {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text.clone(),
        _ => return None,
    };
    // Jiff would accept a time of day or a zone after the date, and drop it.
    if text.len() == "2025-01-31".len() { text.parse().ok() } else { None }
}

/// Findings that a rule matches as a whole or not at all.
struct Group<'g> {
    /// Their arguments; none if the report counts them without listing their arguments.
    set: Option<&'g ArgSet>,
    /// Their database, if it is known.
    database: Option<&'g str>,
    by_severity: SeverityCounts,
    failures: u64,
}

/// The rules of one code, and what they suppress.
///
/// Each database of each argument set is a group of its findings, and counts for the first rule that matches.
/// Findings without a database are folded into those with one, as in every count: they are suppressed if all
/// databases of their arguments are. What the report counts but does not list is the last group.
struct Matching<'m, 'r> {
    code: &'m CodeReport,
    rules: &'m mut [&'r mut Suppression],
    suppressed: Suppressed,
    /// The databases in which something is not suppressed.
    open: BTreeSet<String>,
}

/// Matches the findings of a code with its rules. Returns what is suppressed, and the databases in which
/// something is not.
fn suppress(code: &CodeReport, rules: &mut [&mut Suppression]) -> (Suppressed, BTreeSet<String>) {
    let mut matching = Matching { code, rules, suppressed: Suppressed::default(), open: BTreeSet::new() };
    let mut by_severity = code.by_severity;
    let mut failures = code.failures;
    for set in &code.args {
        by_severity = by_severity - set.by_severity();
        failures = failures.saturating_sub(set.failures());
        matching.arg_set(set);
    }
    if !by_severity.is_empty() {
        matching.group(Group { set: None, database: None, by_severity, failures });
    }
    (matching.suppressed, matching.open)
}

impl Matching<'_, '_> {
    /// Counts a group for the first rule that matches it. Returns whether it is suppressed: an expired rule only
    /// records what it matches.
    fn group(&mut self, group: Group<'_>) -> bool {
        let first = self.rules.iter_mut().find(|rule| matches(rule, group.set, group.database));
        let Some(rule) = first else { return false };
        let counts = Suppressed { by_severity: group.by_severity, failures: group.failures };
        rule.suppressed.add(counts);
        if !rule.expired {
            self.suppressed.add(counts);
        }
        !rule.expired
    }

    fn arg_set(&mut self, set: &ArgSet) {
        let group =
            |database, by_severity, failures| Group { set: Some(set), database, by_severity, failures };
        let mut all_suppressed = true;
        for (database, counts) in &set.databases {
            if !self.group(group(Some(database), *counts, 1)) {
                all_suppressed = false;
                self.open.insert(database.clone());
            }
        }
        if set.databases_truncated() {
            all_suppressed &= self.group(group(None, set.other_databases, 0));
        }
        match set.databases.keys().next() {
            _ if set.without_database.is_empty() => {}
            None => {
                if !self.group(group(None, set.without_database, 1)) {
                    self.open.extend(databases(self.code.entry.as_deref(), set).map(str::to_string));
                }
            }
            // They repeat the failures in the named databases, and are no failures of their own.
            Some(first) if all_suppressed => {
                self.group(group(Some(first), set.without_database, 0));
            }
            Some(_) => {}
        }
    }
}

/// Returns whether a rule matches. Arguments that the report does not list, and findings without a database,
/// are only matched by a rule that matches any.
fn matches(rule: &Suppression, set: Option<&ArgSet>, database: Option<&str>) -> bool {
    let same = |(name, value): &(std::sync::Arc<str>, ArgValue)| {
        set.is_some_and(|set| set.args.iter().any(|(known, found)| known == name && found == value))
    };
    rule.database.as_deref().is_none_or(|wanted| database == Some(wanted)) && rule.args.iter().all(same)
}
