//! Parameters: all changes of one server's parameters, as one step with one restart.
//!
//! Codes whose fixes change parameters come in. Several codes may change the same parameter, so their changes
//! are merged:
//!
//! - The items of a list add up. One code needs `pg_cron` in `azure.extensions`, another `hstore`: both are
//!   added.
//! - Of several minimums the greatest counts. `max_replication_slots >= 9` and `>= 12` become 12.
//! - A value that the logs do not hold stays a placeholder for the reader: `<current-value>`.
//!
//! The step with its commands goes out. A parameter keeps the rank of the first kind of fix that changed it,
//! so extensions are allowed before they are loaded. This module does not know which server is restarted
//! when, only that one restart is enough.

use super::{Command, CommandLanguage, Step};
use crate::catalog::command::blanks;
use crate::catalog::fix::{Fix, Minimum, Parameter, ParameterChange};
use crate::catalog::quote::Quoting;
use crate::catalog::{CommandTarget, FixKind, NewValue, Scope, ServerCommands, Side};
use crate::report::CodeReport;
use crate::report::server::Server;
use std::collections::{BTreeMap, BTreeSet};

/// The changes of one server's parameters.
pub(super) struct Parameters {
    side: Side,
    server: Option<Server>,
    /// By the first kind of fix that changes them, then by name.
    changes: BTreeMap<(FixKind, String), MergedChange>,
    /// The commands of the first vendor whose entries change a parameter.
    commands: Option<ServerCommands>,
    step: Option<Step>,
}

/// The changes of one parameter by all codes together.
#[derive(Default)]
struct MergedChange {
    /// Items to add to its list.
    items: BTreeSet<String>,
    /// The greatest minimum.
    minimum: Option<u64>,
    /// A fixed value.
    set: Option<String>,
    /// What the reader fills in if the logs hold no value.
    blank: Option<String>,
}

impl Parameters {
    pub(super) fn new(side: Side, server: Option<Server>) -> Parameters {
        Parameters { side, server, changes: BTreeMap::new(), commands: None, step: None }
    }

    /// Adds the changes that `code` needs, if they are on this server.
    pub(super) fn add(&mut self, code: &CodeReport, fix: &Fix) {
        let here = code.side().is_some_and(|side| side == self.side || side == Side::Both);
        if !here {
            return;
        }
        if self.commands.is_none() {
            self.commands.clone_from(&code.vendor.server);
        }
        let mut step = Step::new(code);
        (step.kind, step.side, step.scope) = (fix.kind, self.side, Scope::Server);
        step.server = self.server.as_ref().map(|server| server.name.clone());
        step.advice = code.resolutions.clone();
        step.cautions.extend(fix.caution.clone());
        for parameter in &fix.parameters {
            self.merge(code, fix.kind, parameter, &mut step);
        }
        match &mut self.step {
            Some(known) => {
                if known.kind != step.kind {
                    known.kind = FixKind::Parameter;
                }
                known.merge(step);
            }
            None => self.step = Some(step),
        }
    }

    /// Merges one change of `code`. A value that no command can hold safely is listed in `step` instead.
    fn merge(&mut self, code: &CodeReport, kind: FixKind, parameter: &Parameter, step: &mut Step) {
        let known = self.changes.keys().find(|(_, name)| *name == parameter.name).cloned();
        let key = known.unwrap_or_else(|| (kind, parameter.name.clone()));
        let merged = self.changes.entry(key).or_default();
        match &parameter.change {
            ParameterChange::Set(value) => merged.set = Some(value.clone()),
            ParameterChange::AtLeast(Minimum::Unknown(blank)) => merged.blank = Some(blank.clone()),
            ParameterChange::AtLeast(Minimum::Argument(name)) => {
                for value in values(code, name) {
                    match Quoting::Number.quote(value) {
                        Ok(number) => merged.minimum = merged.minimum.max(number.parse().ok()),
                        Err(why) => step.refuse(name, value, why.to_string()),
                    }
                }
                merged.blank = Some(format!("<{name}>"));
            }
            ParameterChange::Add(name) => {
                for value in values(code, name) {
                    match Quoting::Word.quote(value) {
                        Ok(word) => {
                            merged.items.insert(word);
                        }
                        Err(why) => step.refuse(name, value, why.to_string()),
                    }
                }
                merged.blank = Some(format!("<{name}>"));
            }
        }
    }

    /// The step, if a code changes a parameter.
    pub(super) fn step(self) -> Option<Step> {
        let mut step = self.step?;
        let then = if step.restart { ", then restart it once" } else { "" };
        step.title = format!("Change parameters of the {} server{then}", self.side);
        // The target is the vendor's own server. So is the source if its resource id shows it.
        let managed = self.side == Side::Target || self.server.as_ref().is_some_and(|server| server.flexible);
        let (language, commands) = match self.commands.filter(|_| managed) {
            Some(commands) => {
                let commands =
                    vendor_commands(&commands, self.side, self.server.as_ref(), &self.changes, step.restart);
                (CommandLanguage::Az, commands)
            }
            None => (CommandLanguage::Sql, sql_commands(&self.changes, step.restart)),
        };
        let side = self.side;
        let command = |text: String| Command { language, side, database: None, blanks: blanks(&text), text };
        step.commands = commands.into_iter().map(command).collect();
        Some(step)
    }
}

/// The values of an argument, of lists their items.
fn values<'a>(code: &'a CodeReport, name: &str) -> BTreeSet<&'a str> {
    let args = code.args.iter().flat_map(|set| &set.args).filter(|(known, _)| &**known == name);
    args.flat_map(|(_, value)| value.items()).map(String::as_str).collect()
}

impl MergedChange {
    /// The new value, or a blank for the reader.
    fn value(&self) -> String {
        let minimum = self.minimum.map(|minimum| minimum.to_string());
        minimum.or_else(|| self.set.clone()).or_else(|| self.blank.clone()).unwrap_or_default()
    }

    /// The new value for a vendor's command.
    fn new_value(&self) -> NewValue {
        if !self.items.is_empty() {
            NewValue::WithItems(self.items.iter().cloned().collect())
        } else if self.minimum.is_none() && self.set.is_none() {
            NewValue::Blank(self.value())
        } else {
            NewValue::Exactly(self.value())
        }
    }
}

fn vendor_commands(
    commands: &ServerCommands,
    side: Side,
    server: Option<&Server>,
    changes: &BTreeMap<(FixKind, String), MergedChange>,
    restart: bool,
) -> Vec<String> {
    let target = CommandTarget {
        group: server.and_then(|server| server.group.as_deref()),
        name: server.map(|server| server.name.as_str()),
        name_blank: &format!("{side}-server"),
    };
    let settings =
        changes.iter().flat_map(|((_, name), change)| commands.set(target, name, &change.new_value()));
    settings.chain(restart.then(|| commands.restart(target))).collect()
}

fn sql_commands(changes: &BTreeMap<(FixKind, String), MergedChange>, restart: bool) -> Vec<String> {
    let mut commands = Vec::new();
    for ((_, name), change) in changes {
        let value = match change.new_value() {
            NewValue::Blank(blank) => blank,
            NewValue::Exactly(value) if value.bytes().all(|byte| byte.is_ascii_digit()) => value,
            NewValue::Exactly(value) => format!("'{value}'"),
            NewValue::WithItems(items) => {
                // Setting a list replaces it. Each item has its own quotes: in one pair, they would be one item.
                commands.push(format!("SHOW {name};"));
                let items: Vec<String> = items.iter().map(|item| format!("'{item}'")).collect();
                format!("<current-value>, {}", items.join(", "))
            }
        };
        commands.push(format!("ALTER SYSTEM SET {name} = {value};"));
    }
    if !restart {
        commands.push("SELECT pg_reload_conf();".into());
    }
    commands
}
