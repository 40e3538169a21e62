//! Commands of a pattern file: templates whose values say how they are quoted.
//!
//! The text of an SQL statement or of an `az` command comes in, a checked [`CommandTemplate`] goes out; filled with the
//! values of a log it is a command that a person can read and run. Nothing here is ever run, and the module does not
//! know which values there are.
//!
//! ```text
//! ALTER ROLE {user:ident} WITH REPLICATION;                      user = mig"x
//! ALTER ROLE "mig""x" WITH REPLICATION;
//!
//! az postgres flexible-server restart --name {server:word}       server = src-1
//! az postgres flexible-server restart --name src-1
//! ```
//!
//! The invariant: **a filled command is one statement or one shell command, whatever the values are.** Half of it is
//! [quoting](super::quote): a value is one token. The other half is checked here, on the template with a mark (U+0001)
//! in place of each value, and makes sure that a token stays one:
//!
//! - A value brings its own quotes. `'{name:literal}'` would close the template's quote with the value's.
//! - No value touches a word or another value. `E{x:literal}` would turn backslash escapes on, `{a:ident}{b:ident}`
//!   would merge into one identifier with a quote mark inside.
//! - SQL ends with its only `;` outside quotes, and has no comments, dollar quotes or backslashes: nothing can swallow
//!   the rest of the line, and what is between quotes is known without parsing more of SQL.
//! - An `az` command consists of plain words. Characters with a meaning to a shell (`$`, `;`, `|`, `&`, `(`, …) do not
//!   occur; `<` and `>` only in a blank.
//!
//! A **blank** is what the reader fills in: words in angle brackets, `<migration_user>`. A pattern file can have them
//! in its commands, and a value that no log named becomes one, `<user>`.

use super::quote::{Quoting, Refusal};
use super::template::MAX_TEMPLATE_BYTES;
use std::fmt;

/// The placeholder that needs no argument: the database that the failure is in.
pub const DATABASE_PLACEHOLDER: &str = "database";
/// In place of a value while a template is checked; templates hold no control characters.
const VALUE_MARK: char = '\u{1}';

/// A command with typed values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandTemplate {
    /// As the pattern file has it.
    pub text: String,
    /// Its parts in order.
    pub parts: Vec<CommandPart>,
}

/// A part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandPart {
    /// Text of the command itself.
    Literal(String),
    /// A placeholder: a name, and how its value is quoted.
    Value(String, Quoting),
}

/// A command, filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// The command.
    pub text: String,
    /// The blanks, sorted, each once.
    pub blanks: Vec<String>,
}

/// A value that cannot be part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The argument.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The reason.
    pub why: Refusal,
}

/// What a command is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// One SQL statement.
    Sql,
    /// One command of the Azure command line.
    Az,
}

/// Why a text is no command template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CommandError {
    TooLong,
    ControlOrBackslash,
    UnpairedBraces,
    /// A placeholder without a quoting.
    NoQuoting(String),
    /// A placeholder with a quoting that there is not.
    UnknownQuoting(String),
    /// A placeholder with a quoting that this syntax does not have.
    WrongQuoting(String, Syntax),
    /// A placeholder whose name is not declared.
    NotDeclared(String),
    Sql(&'static str),
    NotAz,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::TooLong => write!(f, "a command longer than {MAX_TEMPLATE_BYTES} bytes"),
            CommandError::ControlOrBackslash => {
                f.write_str("a command with a control character or a backslash")
            }
            CommandError::UnpairedBraces => f.write_str("unpaired braces in a command"),
            CommandError::NoQuoting(value) => write!(f, "`{{{value}}}` does not say how it is quoted"),
            CommandError::UnknownQuoting(value) => {
                write!(f, "`{{{value}}}`: it is quoted as ident, literal, number or word")
            }
            CommandError::WrongQuoting(value, syntax) => {
                write!(f, "`{{{value}}}`: it is quoted as {}", syntax.quoting_names())
            }
            CommandError::NotDeclared(value) => {
                write!(f, "placeholder `{{{value}}}` is not among the entry's arguments")
            }
            CommandError::Sql(what) => write!(f, "SQL {what}"),
            CommandError::NotAz => {
                f.write_str("an az command with more than plain words, options and blanks in angle brackets")
            }
        }
    }
}

impl Syntax {
    fn quotings(self) -> &'static [Quoting] {
        match self {
            Syntax::Sql => &[Quoting::Ident, Quoting::Literal, Quoting::Number],
            Syntax::Az => &[Quoting::Word, Quoting::Number],
        }
    }

    fn quoting_names(self) -> &'static str {
        match self {
            Syntax::Sql => "ident, literal or number",
            Syntax::Az => "word or number",
        }
    }

    /// Checks the template with [`VALUE_MARK`] in place of each value.
    fn check(self, marked: &str) -> Result<(), CommandError> {
        match self {
            Syntax::Sql => check_sql(marked).map_err(CommandError::Sql),
            Syntax::Az if is_az(marked) => Ok(()),
            Syntax::Az => Err(CommandError::NotAz),
        }
    }
}

impl CommandTemplate {
    /// Parses `text`, whose placeholders must be among `names` or be [`DATABASE_PLACEHOLDER`].
    pub(super) fn parse(text: &str, names: &[&str], syntax: Syntax) -> Result<CommandTemplate, CommandError> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(CommandError::TooLong);
        }
        if text.contains(|c: char| c.is_control() || c == '\\') {
            return Err(CommandError::ControlOrBackslash);
        }
        let mut parts = Vec::new();
        let mut marked = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(at);
            let close = after.find('}').filter(|_| after.starts_with('{'));
            let close = close.ok_or(CommandError::UnpairedBraces)?;
            parts.push(CommandPart::Literal(before.to_string()));
            parts.push(placeholder(&after[1..close], names, syntax)?);
            marked.push_str(before);
            marked.push(VALUE_MARK);
            rest = &after[close + 1..];
        }
        parts.push(CommandPart::Literal(rest.to_string()));
        marked.push_str(rest);
        syntax.check(&marked)?;
        parts.retain(|part| !matches!(part, CommandPart::Literal(literal) if literal.is_empty()));
        Ok(CommandTemplate { text: text.to_string(), parts })
    }

    /// Fills in what `value` returns for each name. The template's own blanks, and names that `value` has nothing for,
    /// are left to the reader.
    ///
    /// # Errors
    ///
    /// The first value that cannot be part of a command.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<Filled, Refused> {
        let mut filled = Filled { text: String::with_capacity(self.text.len() + 32), blanks: Vec::new() };
        for part in &self.parts {
            match part {
                CommandPart::Literal(literal) => {
                    filled.text.push_str(literal);
                    filled.blanks.extend(blanks(literal));
                }
                CommandPart::Value(name, quoting) => match value(name) {
                    None => {
                        let blank = format!("<{name}>");
                        filled.text.push_str(&blank);
                        filled.blanks.push(blank);
                    }
                    Some(value) => filled.text.push_str(&quoting.quote(value).map_err(|why| Refused {
                        name: name.clone(),
                        value: value.to_string(),
                        why,
                    })?),
                },
            }
        }
        filled.blanks.sort();
        filled.blanks.dedup();
        Ok(filled)
    }

    /// Replaces each placeholder by what `text` returns for its name: text that is quoted already, or a blank.
    pub(super) fn fill_quoted(&self, text: impl Fn(&str) -> String) -> String {
        self.parts.iter().fold(String::new(), |command, part| match part {
            CommandPart::Literal(literal) => command + literal,
            CommandPart::Value(name, _) => command + &text(name),
        })
    }

    /// Returns the names of its values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            CommandPart::Value(name, _) => Some(name.as_str()),
            CommandPart::Literal(_) => None,
        })
    }
}

/// Parses the inside of a placeholder: `user:ident`.
fn placeholder(inside: &str, names: &[&str], syntax: Syntax) -> Result<CommandPart, CommandError> {
    let wrong = inside.to_string();
    let Some((name, quoting)) = inside.split_once(':') else { return Err(CommandError::NoQuoting(wrong)) };
    let Some(quoting) = Quoting::from_name(quoting) else { return Err(CommandError::UnknownQuoting(wrong)) };
    if !syntax.quotings().contains(&quoting) {
        return Err(CommandError::WrongQuoting(wrong, syntax));
    }
    if name != DATABASE_PLACEHOLDER && !names.contains(&name) {
        return Err(CommandError::NotDeclared(wrong));
    }
    Ok(CommandPart::Value(name.to_string(), quoting))
}

/// Whether the text is a blank: words in angle brackets, but not the text between the signs of `a < b` and `c > d`.
pub(super) fn is_blank(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|inner| {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        word(inner.chars().next())
            && word(inner.chars().last())
            && inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '))
    })
}

/// Returns the blanks of a command, each once, in their order.
pub fn blanks(command: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = command;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let end = rest.find('>').map_or(1, |end| end + 1);
        let (blank, after) = rest.split_at(if is_blank(&rest[..end]) { end } else { 1 });
        if is_blank(blank) && !found.iter().any(|known| known == blank) {
            found.push(blank.to_string());
        }
        rest = after;
    }
    found
}

/// Checks that the text is one statement whose values are where quoted ones may be; the error continues "SQL …".
fn check_sql(marked: &str) -> Result<(), &'static str> {
    let mut quote = None;
    let mut before = ' ';
    let mut ends = 0;
    for c in marked.chars() {
        match (quote, c) {
            (None, '\'' | '"') if before == VALUE_MARK => return Err("with a quote after a value"),
            (None, '\'' | '"') if before.is_alphanumeric() => return Err("with a quote after a word"),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            (Some(_), VALUE_MARK) => return Err("with a value in quotes; values bring their own"),
            (None, VALUE_MARK)
                if before == VALUE_MARK || before.is_alphanumeric() || matches!(before, '_' | '\'' | '"') =>
            {
                return Err("with a value right after a word");
            }
            (None, _) if before == VALUE_MARK && (c.is_alphanumeric() || c == '_') => {
                return Err("with a value right before a word");
            }
            (None, '-') if before == '-' => return Err("with a comment"),
            (None, '*') if before == '/' => return Err("with a comment"),
            (None, '$') => return Err("with a dollar sign"),
            (None, ';') => ends += 1,
            _ => {}
        }
        before = c;
    }
    let one = quote.is_none() && ends == 1 && marked.ends_with(';') && marked.len() > 1;
    if one { Ok(()) } else { Err("that is not one statement ended by `;`") }
}

/// Whether the text is one `az` command that any shell reads word by word.
fn is_az(marked: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == VALUE_MARK || " ._-:/<>\",=".contains(c);
    let mut without_blanks = marked.to_string();
    for blank in blanks(marked) {
        without_blanks = without_blanks.replace(&blank, "x");
    }
    marked.starts_with("az ")
        && marked.chars().all(plain)
        && !without_blanks.contains(['<', '>'])
        && marked.matches('"').count().is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_words_in_angle_brackets() {
        assert_eq!(blanks("SELECT a < b, c > d FROM <my table> WHERE <x> = <x>;"), ["<my table>", "<x>"]);
        assert_eq!(blanks("<-x> <> < <a"), [""; 0]);
    }

    #[test]
    fn values_are_quoted_and_what_is_not_known_becomes_a_blank() {
        let text = "SELECT {b:literal}, {a:ident} FROM <t>;";
        let template = CommandTemplate::parse(text, &["a", "b"], Syntax::Sql).expect("parses");
        let filled = template.fill(|name| (name == "b").then_some("it's")).expect("fills");
        assert_eq!(filled.text, "SELECT 'it''s', <a> FROM <t>;");
        assert_eq!(filled.blanks, ["<a>", "<t>"]);
        let refused = template.fill(|_| Some("a\\b")).expect_err("a backslash");
        assert_eq!((refused.name.as_str(), refused.why), ("b", Refusal::Backslash));
    }
}
