//! The fix plan: what to do, in the order in which it is done.
//!
//! The codes of a report and what is known of the servers come in; numbered steps go out. Support cases come first,
//! because they take days, then what concerns servers, then databases. What an entry's step is stands in its `fix`
//! table; an entry without one gives a step with its advice. Commands are printed for people to read, and never run.

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
    /// What to do, in order.
    pub steps: Vec<Step>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Step {
    /// Its place in the plan, from 1.
    pub number: u64,
    /// What sort of step it is.
    pub kind: FixKind,
    /// What to do, in a few words.
    pub title: String,
    /// The worst severity of what it clears.
    pub severity: Severity,
    /// Where it is done.
    pub side: Side,
    /// The server it is done on, where the logs name exactly one.
    pub server: Option<String>,
    /// What it concerns.
    pub scope: Scope,
    /// Who does it.
    pub actor: Actor,
    /// The organization that does it where the actor is support. It follows from the catalogue, so no report stores it.
    #[serde(skip)]
    pub support: String,
    /// Whether the server must be restarted, once, after all of it.
    pub restart: bool,
    /// The ids that it clears.
    pub codes: Vec<String>,
    /// How many failures it clears.
    pub failures: u64,
    /// The databases that it clears.
    pub databases: Vec<String>,
    /// How many more databases there are.
    pub databases_more: u64,
    /// What to mind first.
    pub cautions: Vec<String>,
    /// The codes' advice.
    pub advice: Vec<String>,
    /// What to run, in order.
    pub commands: Vec<Command>,
    /// Whether there are more commands than these.
    pub commands_truncated: bool,
    /// Values that cannot stand in a command: what concerns them must be written by hand.
    pub refused: Vec<RefusedValue>,
}

/// A command to read, and then perhaps to run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Command {
    /// What it is written in.
    pub language: Language,
    /// The server that it is about.
    pub side: Side,
    /// The database that it is run in; none where that does not matter or is not known.
    pub database: Option<String>,
    /// The command.
    pub text: String,
    /// What the reader has to fill in, as it stands in the command.
    pub blanks: Vec<String>,
}

/// What a command is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// SQL, for psql or any client.
    Sql,
    /// The Azure command line, for a shell.
    Az,
}

/// A value of the logs that was refused.
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

/// Support first, then servers before databases, then by the order of kinds.
fn order(step: &Step) -> impl Ord + '_ {
    let support = step.actor != Actor::Support;
    (support, step.scope, step.kind, std::cmp::Reverse(step.severity), step.side, &step.codes)
}

/// The step that one code asks for.
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
            None => format!("See to {}, for which no advice is published", code.id),
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
    /// A step about a code, to be filled in.
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

    /// Takes in a step that is the same thing to do.
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

    /// Names a value that cannot stand in a command.
    fn refuse(&mut self, name: &str, value: &str, reason: String) {
        let refused = RefusedValue { name: name.to_string(), value: value.to_string(), reason };
        extend(&mut self.refused, vec![refused], MAX_REFUSED);
    }
}

/// Adds what is new, up to `most`; whether something was left out.
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

/// Adds `step`; what is the same thing to do is one step: all of a support case, and equal titles on one side.
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
