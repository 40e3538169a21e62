//! Statements: an entry's command templates with what was found.
//!
//! A code and its fix come in; the commands of its step go out, one for each database and each item of a list, each
//! once. A value that cannot be quoted gives no command but a refusal.

use super::{Command, Language, MAX_COMMANDS, Step};
use crate::catalog::command::{CommandTemplate, DATABASE_PLACEHOLDER, Filled};
use crate::catalog::fix::{Fix, Within};
use crate::catalog::{ArgValue, Entry, Subject};
use crate::report::CodeReport;
use crate::report::verdict::databases;
use crate::summary::ArgSet;
use std::collections::BTreeSet;

/// Writes the commands of `fix` into `step`.
pub(super) fn write(code: &CodeReport, entry: &Entry, fix: &Fix, step: &mut Step) {
    let mut known: BTreeSet<Command> = BTreeSet::new();
    for set in &code.args {
        let mut places: Vec<Option<&str>> = databases(Some(entry), set).map(Some).collect();
        if places.is_empty() {
            places.push(None);
        }
        for place in places {
            for (language, template) in templates(fix) {
                let inside = place.filter(|_| fix.within == Within::Database && language == Language::Sql);
                for item in items(template, set) {
                    if step.commands.len() >= MAX_COMMANDS {
                        step.commands_truncated = true;
                        return;
                    }
                    match template.fill(|name| value(entry, set, name, item, place)) {
                        Err(refused) => step.refuse(&refused.name, &refused.value, refused.why.to_string()),
                        Ok(Filled { text, blanks }) => {
                            let (side, database) = (entry.side, inside.map(str::to_string));
                            let command = Command { language, side, database, text, blanks };
                            if known.insert(command.clone()) {
                                step.commands.push(command);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn templates(fix: &Fix) -> impl Iterator<Item = (Language, &CommandTemplate)> {
    let sql = fix.sql.iter().map(|template| (Language::Sql, template));
    sql.chain(fix.az.iter().map(|template| (Language::Az, template)))
}

/// The items of the list that the template names; none once, where it names no list.
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

/// Returns the value of `name` in a command: the item of a list, an argument, or the database that the finding is in.
fn value<'a>(
    entry: &Entry,
    set: &'a ArgSet,
    name: &str,
    item: Option<&'a str>,
    place: Option<&'a str>,
) -> Option<&'a str> {
    match argument(set, name) {
        Some(ArgValue::Many(_)) => item,
        Some(ArgValue::One(value)) => Some(value),
        None if names_the_database(entry, name) => entry.value_of(Subject::Database, &set.args).or(place),
        None => None,
    }
}

/// Whether a placeholder without a value is about the database that the finding is in: the general placeholder, or the
/// entry's only argument about a database.
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
