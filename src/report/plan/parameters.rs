//! Parameters: all changes of one server's parameters as one step with one restart.
//!
//! Codes whose fixes change parameters come in; what they ask for is merged by parameter: the items of a list add up, of
//! minimums the greatest counts. The step's commands go out, extensions allowed before they are loaded.

use super::{Command, Language, Step};
use crate::catalog::command::blanks;
use crate::catalog::fix::{Fix, Minimum, Parameter, ParameterChange};
use crate::catalog::quote::Quoting;
use crate::catalog::{CommandTarget, FixKind, NewValue, Scope, ServerCommands, Side};
use crate::report::CodeReport;
use crate::report::server::Server;
use std::collections::{BTreeMap, BTreeSet};

/// What the parameters of one server are to be.
pub(super) struct Parameters {
    side: Side,
    server: Option<Server>,
    /// By the kind that asks for them first, and name.
    wanted: BTreeMap<(FixKind, String), Wanted>,
    /// The commands of the first vendor that asks for something.
    commands: Option<ServerCommands>,
    step: Option<Step>,
}

/// What a parameter is to be.
#[derive(Default)]
struct Wanted {
    items: BTreeSet<String>,
    least: Option<u64>,
    set: Option<String>,
    blank: Option<String>,
}

impl Parameters {
    pub(super) fn new(side: Side, server: Option<Server>) -> Parameters {
        Parameters { side, server, wanted: BTreeMap::new(), commands: None, step: None }
    }

    /// Takes in what `code` asks for, if that is on this server.
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
            self.want(code, fix.kind, parameter, &mut step);
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

    fn want(&mut self, code: &CodeReport, kind: FixKind, parameter: &Parameter, step: &mut Step) {
        let known = self.wanted.keys().find(|(_, name)| *name == parameter.name).cloned();
        let wanted = self.wanted.entry(known.unwrap_or_else(|| (kind, parameter.name.clone()))).or_default();
        match &parameter.change {
            ParameterChange::Set(value) => wanted.set = Some(value.clone()),
            ParameterChange::AtLeast(Minimum::Unknown(blank)) => wanted.blank = Some(blank.clone()),
            ParameterChange::AtLeast(Minimum::Argument(name)) => {
                for value in values(code, name) {
                    match Quoting::Number.quote(value) {
                        Ok(number) => wanted.least = wanted.least.max(number.parse().ok()),
                        Err(why) => step.refuse(name, value, why.to_string()),
                    }
                }
                wanted.blank = Some(format!("<{name}>"));
            }
            ParameterChange::Add(name) => {
                for value in values(code, name) {
                    match Quoting::Word.quote(value) {
                        Ok(word) => {
                            wanted.items.insert(word);
                        }
                        Err(why) => step.refuse(name, value, why.to_string()),
                    }
                }
                wanted.blank = Some(format!("<{name}>"));
            }
        }
    }

    /// The step, if there is anything to do.
    pub(super) fn step(self) -> Option<Step> {
        let mut step = self.step?;
        let then = if step.restart { ", then restart it once" } else { "" };
        step.title = format!("Change parameters of the {} server{then}", self.side);
        // The target is the vendor's own server, the source where its resource id says so.
        let managed = self.side == Side::Target || self.server.as_ref().is_some_and(|server| server.flexible);
        let (language, commands) = match self.commands.filter(|_| managed) {
            Some(commands) => {
                let commands =
                    vendor_commands(&commands, self.side, self.server.as_ref(), &self.wanted, step.restart);
                (Language::Az, commands)
            }
            None => (Language::Sql, sql_commands(&self.wanted, step.restart)),
        };
        let side = self.side;
        let command = |text: String| Command { language, side, database: None, blanks: blanks(&text), text };
        step.commands = commands.into_iter().map(command).collect();
        Some(step)
    }
}

/// The values of an argument, lists item by item.
fn values<'a>(code: &'a CodeReport, name: &str) -> BTreeSet<&'a str> {
    let args = code.args.iter().flat_map(|set| &set.args).filter(|(known, _)| &**known == name);
    args.flat_map(|(_, value)| value.items()).map(String::as_str).collect()
}

impl Wanted {
    /// The value, or a blank for the reader.
    fn value(&self) -> String {
        let least = self.least.map(|least| least.to_string());
        least.or_else(|| self.set.clone()).or_else(|| self.blank.clone()).unwrap_or_default()
    }

    /// The value as a vendor's command takes it.
    fn new_value(&self) -> NewValue {
        if !self.items.is_empty() {
            NewValue::WithItems(self.items.iter().cloned().collect())
        } else if self.least.is_none() && self.set.is_none() {
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
    wanted: &BTreeMap<(FixKind, String), Wanted>,
    restart: bool,
) -> Vec<String> {
    let target = CommandTarget {
        group: server.and_then(|server| server.group.as_deref()),
        name: server.map(|server| server.name.as_str()),
        name_blank: &format!("{side}-server"),
    };
    let settings =
        wanted.iter().flat_map(|((_, name), wanted)| commands.set(target, name, &wanted.new_value()));
    settings.chain(restart.then(|| commands.restart(target))).collect()
}

fn sql_commands(wanted: &BTreeMap<(FixKind, String), Wanted>, restart: bool) -> Vec<String> {
    let mut commands = Vec::new();
    for ((_, of), wanted) in wanted {
        let value = wanted.value();
        let bare = value.starts_with('<') || value.bytes().all(|byte| byte.is_ascii_digit());
        let value = if bare { value } else { format!("'{value}'") };
        commands.push(format!("ALTER SYSTEM SET {of} = {value};"));
    }
    if !restart {
        commands.push("SELECT pg_reload_conf();".into());
    }
    commands
}
