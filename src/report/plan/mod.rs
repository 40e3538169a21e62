//! The plan: numbered steps that fix the failures of a report, in the order in which a person does them.
//!
//! The codes of a report and the names of the servers come in, a [`Plan`] goes out. Commands are printed for
//! people to read; this program never runs one.
//!
//! # From codes to steps
//!
//! Each code has one step, which the `fix` table of its catalogue entry describes. An entry without such a
//! table has a step that shows its advice. Many codes need the same action, so steps are merged:
//!
//! - All support cases are one step: a person opens one case and lists all codes in it.
//! - Steps of the same kind with the same title, side and actor are one step. The title holds the arguments,
//!   so "Grant REPLICATION to repl" for two codes is one step, and the same for another role is a second one.
//! - All parameter changes of one server are one step (`parameters`), because they need one restart together.
//!
//! A merged step has the worst severity, the lowest scope and the union of the lists of its parts. Lists are
//! cut at stated sizes, and the cut is counted.
//!
//! # The order
//!
//! Support cases come first, because they take days and the other steps can be done meanwhile. Servers come
//! before databases, because a restarted server disconnects whoever works in a database. Then the kinds of
//! fixes follow in the order of [`FixKind`], in which each kind can rely on the ones before: an extension is
//! allowed before it is loaded, and loaded before it is created. For example, the plan for a database that
//! already exists on the target, two parameters and an unknown code:
//!
//! ```text
//!  1  Open a support case               service          <- takes days
//!  2  Change parameters of the source server, then restart it once
//!  3  Drop the database hr              target, database
//! ```
//!
//! Ties are broken by severity, side and ids, so the plan does not depend on the order in which the codes
//! were found.

mod parameters;
mod statements;

use super::verdict::databases_of;
use super::{CodeReport, Support, resolve};
use crate::catalog::{Actor, FixKind, Scope, Severity, Side};
use parameters::Parameters;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most commands of one step.
pub const MAX_COMMANDS: usize = 200;
/// The most databases named in one step.
pub const MAX_DATABASES: usize = 1_000;
/// The most refused values named in one step.
pub const MAX_REFUSED: usize = 20;

/// Steps in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One action of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Step {
    /// Its place in the plan, from 1.
    pub number: u64,
    /// The kind of fix.
    pub kind: FixKind,
    /// The action, in a few words.
    pub title: String,
    /// The worst severity of the failures that it fixes.
    pub severity: Severity,
    /// The side on which it is done.
    pub side: Side,
    /// The server it is done on, where the logs name exactly one.
    pub server: Option<String>,
    /// Whether it concerns a server or a database.
    pub scope: Scope,
    /// The person who does it.
    pub actor: Actor,
    /// The organization that does it where the actor is support. It follows from the catalogue, so no report
    /// stores it.
    #[serde(skip)]
    pub support: String,
    /// Whether the server must be restarted, once, after all of it.
    pub restart: bool,
    /// The ids of the entries that it fixes.
    pub codes: Vec<String>,
    /// How many failures it fixes.
    pub failures: u64,
    /// The databases whose failures it fixes.
    pub databases: Vec<String>,
    /// How many more databases there are.
    pub databases_more: u64,
    /// Warnings to read first.
    pub cautions: Vec<String>,
    /// The codes' advice.
    pub advice: Vec<String>,
    /// Commands, in the order in which they are run.
    pub commands: Vec<Command>,
    /// Whether there are more commands than these.
    pub commands_truncated: bool,
    /// Values that no command can hold safely; commands for them must be written by hand.
    pub refused: Vec<RefusedValue>,
}

/// A command to read, and then perhaps to run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Command {
    /// The language of its text.
    pub language: CommandLanguage,
    /// The server that it concerns.
    pub side: Side,
    /// The database in which it is run; none where any will do or none is known.
    pub database: Option<String>,
    /// The command.
    pub text: String,
    /// The placeholders in its text that the reader fills in.
    pub blanks: Vec<String>,
}

/// The language of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, schemars(rename = "Language"))]
pub enum CommandLanguage {
    /// SQL, for psql or any client.
    Sql,
    /// The Azure command line, for a shell.
    Az,
}

/// A value from the logs that is left out of the commands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct RefusedValue {
    /// The argument.
    pub name: String,
    /// Its value, as it was logged.
    pub value: String,
    /// Why it was refused.
    pub reason: String,
}

impl Plan {
    /// The plan for `codes`.
    pub fn new(codes: &[CodeReport], support: &Support) -> Plan {
        let mut steps: Vec<Step> = Vec::new();
        let mut parameters =
            [Side::Source, Side::Target].map(|side| Parameters::new(side, support.server(side)));
        for code in codes {
            let fix = code.entry.as_ref().and_then(|entry| entry.fix.as_ref());
            match fix.filter(|fix| !fix.parameters.is_empty()) {
                Some(fix) => parameters.iter_mut().for_each(|server| server.add(code, fix)),
                None => merge(&mut steps, step(code, support)),
            }
        }
        steps.extend(parameters.into_iter().filter_map(Parameters::step));
        steps.sort_by(|a, b| order(a).cmp(&order(b)));
        for (number, step) in (1..).zip(&mut steps) {
            step.number = number;
        }
        Plan { steps }
    }
}

/// The sort key of a step; the module documentation explains the order.
fn order(step: &Step) -> impl Ord + '_ {
    let support = step.actor != Actor::Support;
    (support, step.scope, step.kind, std::cmp::Reverse(step.severity), step.side, &step.codes)
}

/// The step of one code.
fn step(code: &CodeReport, support: &Support) -> Step {
    let mut step = Step::new(code);
    let Some(entry) = &code.entry else {
        step.title = "Ask support about a code that no catalogue lists".into();
        return step;
    };
    step.server = support.server(entry.side).map(|server| server.name);
    step.advice = code.resolutions.clone();
    let Some(fix) = &entry.fix else {
        step.title = match code.resolutions.first() {
            Some(_) => format!("Follow the advice for {}", code.id),
            None => format!("Look into {}: no advice is published for it", code.id),
        };
        return step;
    };
    step.kind = fix.kind;
    step.title = match &fix.title {
        Some(title) => resolve::fill(title, entry, &code.args),
        None => "Open a support case".into(),
    };
    step.cautions.extend(fix.caution.as_ref().map(|caution| resolve::fill(caution, entry, &code.args)));
    statements::write(code, entry, fix, &mut step);
    step
}

impl Step {
    /// A step for a code, without its title and commands.
    fn new(code: &CodeReport) -> Step {
        let databases = databases_of(code);
        let databases_more = databases.len().saturating_sub(MAX_DATABASES) as u64;
        Step {
            number: 0,
            kind: FixKind::Advice,
            title: String::new(),
            severity: code.severity,
            side: code.side().unwrap_or(Side::Service),
            server: None,
            scope: code.scope().unwrap_or(Scope::Server),
            actor: code.actor().unwrap_or(Actor::Support),
            support: code.vendor.support.clone(),
            restart: code.entry.as_ref().is_some_and(|entry| entry.restart),
            codes: vec![code.id.to_string()],
            failures: code.failures,
            databases: databases.into_iter().take(MAX_DATABASES).map(str::to_string).collect(),
            databases_more,
            cautions: Vec::new(),
            advice: Vec::new(),
            commands: Vec::new(),
            commands_truncated: false,
            refused: Vec::new(),
        }
    }

    /// Adds a step with the same action.
    fn merge(&mut self, other: Step) {
        self.severity = self.severity.max(other.severity);
        if self.side != other.side {
            (self.side, self.server) = (Side::Both, None);
        }
        self.scope = self.scope.min(other.scope);
        self.restart |= other.restart;
        self.codes.extend(other.codes);
        self.failures += other.failures;
        let databases: BTreeSet<String> = self.databases.drain(..).chain(other.databases).collect();
        self.databases_more += other.databases_more + databases.len().saturating_sub(MAX_DATABASES) as u64;
        self.databases = databases.into_iter().take(MAX_DATABASES).collect();
        extend(&mut self.cautions, other.cautions, usize::MAX);
        extend(&mut self.advice, other.advice, usize::MAX);
        self.commands_truncated |= extend(&mut self.commands, other.commands, MAX_COMMANDS);
        self.commands_truncated |= other.commands_truncated;
        extend(&mut self.refused, other.refused, MAX_REFUSED);
    }

    /// Lists a value that no command can hold safely.
    fn refuse(&mut self, name: &str, value: &str, reason: String) {
        let refused = RefusedValue { name: name.to_string(), value: value.to_string(), reason };
        extend(&mut self.refused, vec![refused], MAX_REFUSED);
    }
}

/// Adds the items that are not in `list` yet, up to `most`. Returns whether some were left out.
fn extend<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>, most: usize) -> bool {
    let mut left_out = false;
    for item in more {
        if !list.contains(&item) {
            left_out |= list.len() >= most;
            if list.len() < most {
                list.push(item);
            }
        }
    }
    left_out
}

/// Adds `step` to the step with the same action, or as a new one.
fn merge(steps: &mut Vec<Step>, step: Step) {
    let same = |known: &&mut Step| {
        let support = known.kind == FixKind::Support && step.kind == FixKind::Support;
        let equal = known.title == step.title && known.side == step.side && known.actor == step.actor;
        (known.actor != Actor::Support || known.support == step.support)
            && (support || known.kind == step.kind && equal)
    };
    match steps.iter_mut().find(same) {
        Some(known) => known.merge(step),
        None => steps.push(step),
    }
}
