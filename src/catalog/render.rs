//! Entries as the text of a pattern file.
//!
//! [`Entry`]s come in, TOML goes out; parsed again, it is the same entries. It has the layout of the built-in file (each
//! text on its line, arguments inline, examples last), for which the serializer of the TOML crate has no setting: the
//! result is made to be read and edited by people. The module does not decide what is in an entry.

use super::command::CommandTemplate;
use super::fix::{Minimum, Parameter, ParameterChange, Within};
use super::{ArgValue, Argument, CodeSpace, Entry, Example, Fix, Merge, Template, Vendor};
use crate::text::is_hidden;
use std::fmt::Write;

/// Writes the pattern file of `entries`, which are about the service of `vendor` and made from the document `source`.
pub fn pattern_file(
    source: &str,
    edition: &str,
    vendor: &Vendor,
    code_spaces: &[CodeSpace],
    entries: &[Entry],
) -> String {
    let mut text = format!(
        "# Made by `migsift catalog import` from {}. The tables say neither how bad a condition is nor where it is fixed and\n\
         # by whom: look through severity, scope, side, actor and restart, and the kinds of the arguments. Then add examples and\n\
         # negatives from real logs, and let `migsift catalog check` prove the file.\n\n\
         format = 1\nname = \"imported\"\n",
        string(source)
    );
    if !edition.is_empty() {
        text += &format!("edition = {}\n", string(edition));
    }
    if *vendor != Vendor::default() {
        text += &format!("\n{}", self::vendor(vendor));
    }
    for written in code_spaces.iter().map(code_space).chain(entries.iter().map(entry)) {
        text += &written;
    }
    text
}

fn code_space(space: &CodeSpace) -> String {
    format!(
        "\n[[code_space]]\nprefix = {}\nalphabet = \"{}\"\nlength = {}\nword = {}\n",
        string(space.prefix()),
        space.alphabet().name(),
        space.length(),
        string(space.word())
    )
}

/// Writes the `vendor` table at the head of a pattern file.
pub(super) fn vendor(vendor: &Vendor) -> String {
    let mut text = format!("[vendor]\nsupport = {}\n", string(&vendor.support));
    if let Some(server) = &vendor.server {
        text += "\n[vendor.server]\n";
        for (key, command) in server.templates() {
            text += &format!("{key} = {}\n", string(&command.text));
        }
    }
    text
}

fn entry(entry: &Entry) -> String {
    let mut text = format!("\n[[entry]]\nid = {}\n", string(&entry.id));
    let mut line = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    if let Some(code) = &entry.code {
        line("code", string(code));
    }
    line("title", string(&entry.title));
    line("severity", string(entry.severity.name()));
    line("scope", string(entry.scope.name()));
    line("side", string(entry.side.name()));
    line("actor", string(entry.actor.name()));
    line("restart", entry.restart.to_string());
    let texts = |templates: &[Template]| list(templates.iter().map(|template| string(&template.text)));
    line("arguments", list(entry.arguments.iter().map(argument)));
    line("wordings", texts(&entry.wordings));
    if !entry.followups.is_empty() {
        line("followups", texts(&entry.followups));
    }
    line("resolutions", texts(&entry.resolutions));
    line("links", list(entry.links.iter().map(|link| string(link))));
    line("negatives", list(entry.negatives.iter().map(|negative| string(negative))));
    if let Some(shown) = &entry.fix {
        text += &format!("\n[entry.fix]\n{}", fix(shown));
    }
    for shown in entry.examples.iter().map(|shown| example(entry, shown)) {
        text += &shown;
    }
    text
}

/// Writes the keys of an entry's `fix` table.
pub(super) fn fix(fix: &Fix) -> String {
    let mut text = format!("kind = \"{}\"\n", fix.kind);
    let mut line = |key: &str, value: String| text.push_str(&format!("{key} = {value}\n"));
    for (key, value) in [("title", &fix.title), ("caution", &fix.caution)] {
        if let Some(value) = value {
            line(key, string(value));
        }
    }
    let parameter = |parameter: &Parameter| {
        let (key, value) = match &parameter.change {
            ParameterChange::Set(value) => ("set", value),
            ParameterChange::AtLeast(Minimum::Argument(value) | Minimum::Unknown(value)) => {
                ("at_least", value)
            }
            ParameterChange::Add(value) => ("add", value),
        };
        format!("{{ name = {}, {key} = {} }}", string(&parameter.name), string(value))
    };
    let commands =
        |templates: &[CommandTemplate]| list(templates.iter().map(|command| string(&command.text)));
    if !fix.parameters.is_empty() {
        line("parameters", list(fix.parameters.iter().map(parameter)));
    }
    if !fix.sql.is_empty() {
        line("sql", commands(&fix.sql));
    }
    if !fix.az.is_empty() {
        line("az", commands(&fix.az));
    }
    if fix.within == Within::Database {
        line("within", "\"database\"".into());
    }
    text
}

fn argument(argument: &Argument) -> String {
    let kind = argument.kind.name();
    let merge = if argument.merge == Merge::Max { ", merge = \"max\"" } else { "" };
    let subject = argument.subject.map_or(String::new(), |subject| format!(", subject = \"{subject}\""));
    format!(
        "{{ name = {}, position = {}, kind = \"{kind}\"{merge}{subject} }}",
        string(&argument.name),
        argument.position
    )
}

/// Writes an example, its arguments in the entry's order.
fn example(entry: &Entry, example: &Example) -> String {
    let value = |value: &ArgValue| match value {
        ArgValue::One(value) => string(value),
        ArgValue::Many(values) => {
            format!("[{}]", values.iter().map(|value| string(value)).collect::<Vec<_>>().join(", "))
        }
    };
    let args: Vec<String> = entry
        .argument_names()
        .iter()
        .filter_map(|name| Some(format!("{name} = {}", value(example.args.get(*name)?))))
        .collect();
    let args = if args.is_empty() { "{}".to_string() } else { format!("{{ {} }}", args.join(", ")) };
    format!("\n[[entry.examples]]\ntext = {}\nargs = {args}\n", string(&example.text))
}

/// Writes an array, each item on its line.
fn list(items: impl Iterator<Item = String>) -> String {
    let lines: String = items.map(|item| format!("  {item},\n")).collect();
    if lines.is_empty() { "[]".to_string() } else { format!("[\n{lines}]") }
}

/// Writes a basic string. Hidden characters are escaped, because the file is printed and reviewed.
fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // TOML has two forms: four digits and eight.
            _ if is_hidden(c) && c > '\u{ffff}' => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            _ if is_hidden(c) => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{builtin, parse};

    #[test]
    fn a_written_file_is_parsed_to_the_same_entries() {
        let entries: Vec<Entry> = builtin().entries.iter().map(|entry| Entry::clone(entry)).collect();
        let text =
            pattern_file("a \"b\"\nc", "2024-05", &entries[0].vendor, &builtin().code_spaces, &entries);
        let again = parse("again.toml", &text).expect("parses");
        for (before, after) in entries.iter().zip(&again.entries) {
            let after = Entry { lines: before.lines.clone(), ..Entry::clone(after) };
            assert_eq!(*before, after);
        }
        assert_eq!((again.edition.as_str(), again.entries.len()), ("2024-05", entries.len()));
    }

    #[test]
    fn strings_are_toml() {
        let all: String = (0..0x3000)
            .filter_map(char::from_u32)
            .chain(['\u{feff}', '😀', '\u{e0041}', '\u{10ffff}'])
            .collect();
        let quoted = string(&all);
        let table: toml::Table = toml::from_str(&format!("x = {quoted}")).expect("TOML");
        assert_eq!(table["x"].as_str(), Some(&*all));
        assert!(!quoted.contains(is_hidden));
        assert_eq!(string("a\\|\"b\"\n\u{1b}\u{202e}"), r#""a\\|\"b\"\n\u001B\u202E""#);
    }
}
