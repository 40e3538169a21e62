//! Parameters: all changes of one server's parameters as one step with one restart.
//!
//! Codes whose fixes change parameters come in; what they ask for is merged by parameter: the items of a list add up, of
//! minimums the greatest counts. The step's commands go out, extensions allowed before they are loaded.

use super::{Command, Language, Step};
use crate::catalog::fix::{Fix, Least, Parameter, ParameterChange, blanks};
use crate::catalog::quote::Quoting;
use crate::catalog::{ArgValue, FixKind, Scope, Side};
use crate::report::CodeReport;
use crate::report::server::Server;
use std::collections::{BTreeMap, BTreeSet};

/// What the parameters of one server are to be.
pub(super) struct Parameters {
    side: Side,
    server: Option<Server>,
    /// By the kind that asks for them first, and name.
    wanted: BTreeMap<(FixKind, String), Wanted>,
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
        Parameters { side, server, wanted: BTreeMap::new(), step: None }
    }

    /// Takes in what `code` asks for, if that is on this server.
    pub(super) fn add(&mut self, code: &CodeReport, fix: &Fix) {
        let here = code.side().is_some_and(|side| side == self.side || side == Side::Both);
        if !here {
            return;
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
            ParameterChange::AtLeast(Least::Unknown(blank)) => wanted.blank = Some(blank.clone()),
            ParameterChange::AtLeast(Least::Argument(name)) => {
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
        let azure = self.side == Side::Target || self.server.as_ref().is_some_and(|server| server.flexible);
        let commands = if azure {
            azure_commands(self.side, self.server.as_ref(), &self.wanted, step.restart)
        } else {
            sql_commands(&self.wanted, step.restart)
        };
        let (side, language) = (self.side, if azure { Language::Az } else { Language::Sql });
        let command = |text: String| Command { language, side, database: None, blanks: blanks(&text), text };
        step.commands = commands.into_iter().map(command).collect();
        Some(step)
    }
}

/// The values of an argument, lists item by item.
fn values<'a>(code: &'a CodeReport, name: &str) -> BTreeSet<&'a str> {
    let args = code.args.iter().flat_map(|set| &set.args).filter(|(known, _)| &**known == name);
    let mut values = BTreeSet::new();
    for (_, value) in args {
        match value {
            ArgValue::One(value) => {
                values.insert(value.as_str());
            }
            ArgValue::Many(items) => values.extend(items.iter().map(String::as_str)),
        }
    }
    values
}

impl Wanted {
    /// The value, or a blank for the reader.
    fn value(&self) -> String {
        let least = self.least.map(|least| least.to_string());
        least.or_else(|| self.set.clone()).or_else(|| self.blank.clone()).unwrap_or_default()
    }
}

fn azure_commands(
    side: Side,
    server: Option<&Server>,
    wanted: &BTreeMap<(FixKind, String), Wanted>,
    restart: bool,
) -> Vec<String> {
    let word = |value: Option<&str>, blank: &str| {
        value.and_then(|value| Quoting::Word.quote(value).ok()).unwrap_or_else(|| blank.to_string())
    };
    let group = word(server.and_then(|server| server.group.as_deref()), "<resource-group>");
    let name = word(server.map(|server| server.name.as_str()), &format!("<{side}-server>"));
    let parameter = format!("--resource-group {group} --server-name {name}");
    let mut commands = Vec::new();
    for ((_, of), wanted) in wanted {
        let value = if wanted.items.is_empty() && wanted.least.is_none() && wanted.set.is_none() {
            format!("\"{}\"", wanted.value())
        } else if wanted.items.is_empty() {
            wanted.value()
        } else {
            // What is set replaces the list, so what is in it now must be named again.
            commands.push(format!(
                "az postgres flexible-server parameter show {parameter} --name {of} --query value --output tsv"
            ));
            let items: Vec<&str> = wanted.items.iter().map(String::as_str).collect();
            format!("\"<current-value>,{}\"", items.join(","))
        };
        commands.push(format!(
            "az postgres flexible-server parameter set {parameter} --name {of} --value {value}"
        ));
    }
    if restart {
        commands.push(format!("az postgres flexible-server restart --resource-group {group} --name {name}"));
    }
    commands
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
