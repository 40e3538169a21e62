//! Statements: the commands of one step, made from the templates of a `fix` table.
//!
//! A code and its fix come in. Each template is filled once per database and, if it names an argument that is
//! a list, once per item of that list. For example, `DROP EXTENSION {extensions};` and the arguments
//! `postgis, hstore` in two databases make four commands. Equal commands are kept once. A value that cannot
//! be quoted safely is listed as refused; its command is left out.

use super::{Command, CommandLanguage, MAX_COMMANDS, Step};
use crate::catalog::command::{CommandTemplate, DATABASE_PLACEHOLDER, Filled};
use crate::catalog::fix::{Fix, Within};
use crate::catalog::{ArgValue, Entry, Subject};
use crate::report::CodeReport;
use crate::report::verdict::databases;
use crate::summary::ArgSet;
use std::collections::BTreeSet;

/// A place of the logs whose values fill a template.
#[derive(Clone, Copy)]
struct Values<'a> {
    entry: &'a Entry,
    set: &'a ArgSet,
    /// The database around the findings, or the one that they name.
    database: Option<&'a str>,
    /// The item of the list that the template names.
    item: Option<&'a str>,
}

impl<'a> Values<'a> {
    /// The value of `{name}`.
    fn get(self, name: &str) -> Option<&'a str> {
        match argument(self.set, name) {
            Some(ArgValue::Many(_)) => self.item,
            Some(ArgValue::One(value)) => Some(value),
            None if names_the_database(self.entry, name) => {
                self.entry.value_of(Subject::Database, &self.set.args).or(self.database)
            }
            None => None,
        }
    }
}

/// Adds the commands of `fix` to `step`.
pub(super) fn write(code: &CodeReport, entry: &Entry, fix: &Fix, step: &mut Step) {
    let mut known: BTreeSet<Command> = BTreeSet::new();
    for set in &code.args {
        let mut databases: Vec<Option<&str>> = databases(Some(entry), set).map(Some).collect();
        if databases.is_empty() {
            databases.push(None);
        }
        for database in databases {
            for (language, template) in templates(fix) {
                let within = fix.within == Within::Database && language == CommandLanguage::Sql;
                for item in items(template, set) {
                    if step.commands.len() >= MAX_COMMANDS {
                        step.commands_truncated = true;
                        return;
                    }
                    let values = Values { entry, set, database, item };
                    let Filled { text, blanks } = match template.fill(|name| values.get(name)) {
                        Ok(filled) => filled,
                        Err(refused) => {
                            step.refuse(&refused.name, &refused.value, refused.why.to_string());
                            continue;
                        }
                    };
                    let database = database.filter(|_| within).map(str::to_string);
                    let command = Command { language, side: entry.side, database, text, blanks };
                    if known.insert(command.clone()) {
                        step.commands.push(command);
                    }
                }
            }
        }
    }
}

fn templates(fix: &Fix) -> impl Iterator<Item = (CommandLanguage, &CommandTemplate)> {
    let sql = fix.sql.iter().map(|template| (CommandLanguage::Sql, template));
    sql.chain(fix.az.iter().map(|template| (CommandLanguage::Az, template)))
}

/// The items of the list that the template names; a single `None` if it names no list.
fn items<'a>(template: &CommandTemplate, set: &'a ArgSet) -> Vec<Option<&'a str>> {
    let list = template.names().find_map(|name| match argument(set, name) {
        Some(ArgValue::Many(items)) => Some(items),
        _ => None,
    });
    match list {
        Some(items) => items.iter().map(|item| Some(item.as_str())).collect(),
        None => vec![None],
    }
}

/// Whether a placeholder without a value is about the database that the finding is in: the general
/// placeholder, or the entry's only argument about a database.
fn names_the_database(entry: &Entry, name: &str) -> bool {
    let about_database = |subject| subject == Some(Subject::Database);
    match entry.argument(name) {
        None => name == DATABASE_PLACEHOLDER,
        Some(argument) => {
            let all = entry.arguments.iter().filter(|argument| about_database(argument.subject));
            about_database(argument.subject) && all.count() == 1
        }
    }
}

fn argument<'a>(set: &'a ArgSet, name: &str) -> Option<&'a ArgValue> {
    set.args.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
}
