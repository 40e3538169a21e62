//! Fixes: what mends a condition, as data of its entry.
//!
//! The `fix` table of an entry comes in, a checked [`Fix`] goes out: a kind that decides where its step stands in a plan,
//! server parameters, and templates of commands. A template's values are typed by how they are quoted
//! (`{user:ident}`), and it is one statement or one `az` command, whatever they are. Nothing is ever run.

use super::quote::{Quoting, Refusal};
use super::{Side, template};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most templates of one sort, and the most parameters.
const MAX_PARTS: usize = 16;
/// The longest template in bytes.
const MAX_BYTES: usize = 2_048;
/// A value that every failure may have: the database it was found in.
pub const DATABASE: &str = "database";

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// What sort of step mends a condition; in the order in which the steps of a plan are done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(JsonSchema))]
        #[serde(rename_all = "lowercase")]
        pub enum FixKind { $($(#[$doc])* $variant),+ }

        impl fmt::Display for FixKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(FixKind::$variant => $text),+ })
            }
        }
    };
}

kinds! {
    /// Microsoft's support mends it.
    Support = "support",
    /// The servers must reach each other.
    Connectivity = "connectivity",
    /// A user or role lacks or has privileges.
    Privilege = "privilege",
    /// An extension must be allowed on the target.
    Allowlist = "allowlist",
    /// A library must be loaded when the target starts.
    Preload = "preload",
    /// A server parameter must be set.
    Parameter = "parameter",
    /// Something must be created.
    Create = "create",
    /// Something must be dropped.
    Drop = "drop",
    /// Something must be changed.
    Change = "change",
    /// The migration must be set up otherwise.
    Migration = "migration",
    /// It must go another way than through the service.
    Elsewhere = "elsewhere",
    /// What the entry's advice says.
    Advice = "advice",
}

/// What mends a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What sort of step it is.
    pub kind: FixKind,
    /// What to do, in a few words, with the entry's arguments as `{name}`.
    pub title: Option<String>,
    /// What to mind before it is done.
    pub caution: Option<String>,
    /// Server parameters, on the entry's side.
    pub parameters: Vec<Parameter>,
    /// SQL statements, on the entry's side.
    pub sql: Vec<CommandTemplate>,
    /// `az` commands.
    pub az: Vec<CommandTemplate>,
    /// Where the SQL is run.
    pub within: Within,
}

/// Where SQL is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Within {
    /// Once on the server, in any database.
    #[default]
    Server,
    /// In each database that it concerns.
    Database,
}

/// A server parameter and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, lower-case letters, digits, `_` and `.`.
    pub name: String,
    /// Its value.
    pub change: ParameterChange,
}

/// What becomes of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterChange {
    /// It is set to this.
    Set(String),
    /// It is raised to this or more: the greatest that is asked for counts.
    AtLeast(Least),
    /// The items of this argument are added to its list.
    Add(String),
}

/// The least value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Least {
    /// What the argument of this name says.
    Argument(String),
    /// What the reader finds out: a text in angle brackets.
    Unknown(String),
}

/// A command with typed values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandTemplate {
    /// As the pattern file has it.
    pub text: String,
    /// Its pieces in order.
    pub parts: Vec<CommandPart>,
}

/// A piece of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandPart {
    /// Text as it is.
    Literal(String),
    /// The value of an argument.
    Value(String, Quoting),
}

/// A command with a value that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The argument.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Why.
    pub why: Refusal,
}

impl CommandTemplate {
    /// The command with what `value` gives for each name, and what the reader has to fill in: the template's own blanks,
    /// and each name that nothing is given for, in angle brackets.
    ///
    /// # Errors
    ///
    /// The first value that cannot be part of a command.
    pub fn fill<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<(String, Vec<String>), Refused> {
        let mut text = String::with_capacity(self.text.len() + 32);
        let mut open = Vec::new();
        for part in &self.parts {
            match part {
                CommandPart::Literal(literal) => {
                    text.push_str(literal);
                    open.extend(blanks(literal));
                }
                CommandPart::Value(name, quoting) => match value(name) {
                    None => {
                        let blank = format!("<{name}>");
                        text.push_str(&blank);
                        open.push(blank);
                    }
                    Some(value) => text.push_str(&quoting.quote(value).map_err(|why| Refused {
                        name: name.clone(),
                        value: value.to_string(),
                        why,
                    })?),
                },
            }
        }
        open.sort();
        open.dedup();
        Ok((text, open))
    }

    /// The names of its values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            CommandPart::Value(name, _) => Some(name.as_str()),
            CommandPart::Literal(_) => None,
        })
    }
}

/// The `fix` table as a pattern file has it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Fix"))]
pub(super) struct RawFix {
    /// What sort of step it is.
    kind: FixKind,
    /// What to do, in a few words, with the entry's arguments as `{name}`.
    title: Option<String>,
    /// What to mind before it is done.
    caution: Option<String>,
    /// Server parameters, on the entry's side.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_PARTS)))]
    parameters: Vec<RawParameter>,
    /// SQL statements, on the entry's side.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_PARTS)))]
    sql: Vec<String>,
    /// `az` commands.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_PARTS)))]
    az: Vec<String>,
    /// Where the SQL is run.
    #[serde(default)]
    within: Within,
}

/// A server parameter: one of `set`, `at_least` and `add` says what becomes of it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Parameter"))]
struct RawParameter {
    /// Its name.
    #[cfg_attr(test, schemars(regex(pattern = "^[a-z0-9_.]+$")))]
    name: String,
    /// What it is set to.
    set: Option<String>,
    /// The argument or number that it is raised to.
    at_least: Option<String>,
    /// The argument whose items are added to it.
    add: Option<String>,
}

impl RawFix {
    /// Checks the table of an entry with these arguments; what is wrong goes to `problem`.
    pub(super) fn check(self, names: &[&str], side: Side, problem: &mut dyn FnMut(String)) -> Fix {
        let counts = [
            ("parameters", self.parameters.len()),
            ("statements", self.sql.len()),
            ("az commands", self.az.len()),
        ];
        for (what, count) in counts.into_iter().filter(|(_, count)| *count > MAX_PARTS) {
            problem(format!("fix: {count} {what}; at most {MAX_PARTS} are taken"));
        }
        let settings = matches!(self.kind, FixKind::Allowlist | FixKind::Preload | FixKind::Parameter);
        if settings == self.parameters.is_empty() {
            problem(
                "fix: parameters belong to the kinds allowlist, preload and parameter, which need them"
                    .into(),
            );
        }
        if settings && side == Side::Service {
            problem("fix: parameters are a server's, not the migration service's".into());
        }
        if settings && !(self.sql.is_empty() && self.az.is_empty()) {
            problem("fix: the commands of parameters are made from them; give neither sql nor az".into());
        }
        if self.title.is_none() && !settings && self.kind != FixKind::Support {
            problem("fix: no title".into());
        }
        for text in self.title.iter().chain(&self.caution) {
            if text.len() > MAX_BYTES {
                problem(format!("fix: a text longer than {MAX_BYTES} bytes"));
            } else if let Err(message) = template::Template::parse(text, names) {
                problem(format!("fix: {message}"));
            }
        }
        let mut parameters = Vec::new();
        for raw in self.parameters.into_iter().take(MAX_PARTS) {
            match raw.check(names, side == Side::Target) {
                Ok(parameter) => parameters.push(parameter),
                Err(message) => problem(format!("fix: {message}")),
            }
        }
        let mut commands = |texts: Vec<String>, language: &Language| {
            let mut templates = Vec::new();
            for text in texts.into_iter().take(MAX_PARTS) {
                match command(text, names, language) {
                    Ok(template) => templates.push(template),
                    Err(message) => problem(format!("fix: {message}")),
                }
            }
            templates
        };
        let (sql, az) = (commands(self.sql, &SQL), commands(self.az, &AZ));
        let (kind, title, caution, within) = (self.kind, self.title, self.caution, self.within);
        Fix { kind, title, caution, parameters, sql, az, within }
    }
}

impl RawParameter {
    fn check(self, names: &[&str], target: bool) -> Result<Parameter, String> {
        let name = self.name;
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        if name.is_empty() || !name.chars().all(word) || name.starts_with('.') || name.ends_with('.') {
            return Err(format!("the parameter `{name}` is not lower-case letters, digits, `_` and `.`"));
        }
        let argument = |text: &str| -> Result<String, String> {
            if names.contains(&text) {
                Ok(text.to_string())
            } else {
                Err(format!("`{text}` is not among the entry's arguments"))
            }
        };
        let change = match (self.set, self.at_least, self.add) {
            (Some(value), None, None) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
                if value.is_empty() || !value.chars().all(plain) || value.starts_with('-') {
                    return Err(format!("the value `{value}` is not letters, digits, `_`, `.` and `-`"));
                }
                ParameterChange::Set(value)
            }
            (None, Some(least), None) if is_blank(&least) => ParameterChange::AtLeast(Least::Unknown(least)),
            (None, Some(least), None) => ParameterChange::AtLeast(Least::Argument(argument(&least)?)),
            (None, None, Some(list)) if target => ParameterChange::Add(argument(&list)?),
            (None, None, Some(_)) => return Err("`add` is for parameters of the target".into()),
            _ => return Err(format!("the parameter `{name}` needs one of set, at_least and add")),
        };
        Ok(Parameter { name, change })
    }
}

/// Whether the text is a blank for the reader: words in angle brackets.
fn is_blank(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|inner| {
        // Not what stands between `a < b` and `c > d`.
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        word(inner.chars().next())
            && word(inner.chars().last())
            && inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' '))
    })
}

/// The blanks of a command that the reader fills in: `<migration_user>`.
pub fn blanks(command: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = command;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let end = rest.find('>').map_or(1, |end| end + 1);
        let (blank, behind) = rest.split_at(if is_blank(&rest[..end]) { end } else { 1 });
        if is_blank(blank) && !found.iter().any(|known| known == blank) {
            found.push(blank.to_string());
        }
        rest = behind;
    }
    found
}

/// What a command may be.
struct Language {
    quotings: &'static [Quoting],
    names: &'static str,
    check: fn(&str) -> Result<(), String>,
}

const SQL: Language = Language {
    quotings: &[Quoting::Ident, Quoting::Literal, Quoting::Number],
    names: "ident, literal or number",
    check: is_sql,
};
const AZ: Language =
    Language { quotings: &[Quoting::Word, Quoting::Number], names: "word or number", check: is_az };

fn command(text: String, names: &[&str], language: &Language) -> Result<CommandTemplate, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("a command longer than {MAX_BYTES} bytes"));
    }
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return Err("a command with a control character or a backslash".into());
    }
    let mut parts = Vec::new();
    let mut bare = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, behind) = rest.split_at(at);
        let close = behind.find('}').filter(|_| behind.starts_with('{'));
        let close = close.ok_or("unpaired braces in a command")?;
        let value = &behind[1..close];
        let (name, quoting) =
            value.split_once(':').ok_or_else(|| format!("`{{{value}}}` does not say how it is quoted"))?;
        let quoting = Quoting::parse(quoting)
            .ok_or_else(|| format!("`{{{value}}}`: it is quoted as ident, literal, number or word"))?;
        if !language.quotings.contains(&quoting) {
            return Err(format!("`{{{value}}}`: it is quoted as {}", language.names));
        }
        if name != DATABASE && !names.contains(&name) {
            return Err(format!("placeholder `{{{value}}}` is not among the entry's arguments"));
        }
        parts.push(CommandPart::Literal(before.to_string()));
        parts.push(CommandPart::Value(name.to_string(), quoting));
        bare.push_str(before);
        bare.push('\u{1}');
        rest = &behind[close + 1..];
    }
    parts.push(CommandPart::Literal(rest.to_string()));
    bare.push_str(rest);
    (language.check)(&bare)?;
    parts.retain(|part| !matches!(part, CommandPart::Literal(literal) if literal.is_empty()));
    Ok(CommandTemplate { text, parts })
}

/// Whether the text is one statement whose values, marked by U+0001, stand where quoted ones may.
fn is_sql(bare: &str) -> Result<(), String> {
    let mut quote = None;
    let mut before = ' ';
    let mut ends = 0;
    for c in bare.chars() {
        match (quote, c) {
            (None, '\'' | '"') if before == '\u{1}' || before.is_alphanumeric() => {
                return Err(format!(
                    "SQL with a quote behind {}",
                    if before == '\u{1}' { "a value" } else { "a word" }
                ));
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            (Some(_), '\u{1}') => return Err("SQL with a value in quotes; values bring their own".into()),
            (None, '\u{1}')
                if before == '\u{1}' || before.is_alphanumeric() || matches!(before, '_' | '\'' | '"') =>
            {
                return Err("SQL with a value right behind a word".into());
            }
            (None, _) if before == '\u{1}' && (c.is_alphanumeric() || c == '_') => {
                return Err("SQL with a value right before a word".into());
            }
            (None, '-') if before == '-' => return Err("SQL with a comment".into()),
            (None, '*') if before == '/' => return Err("SQL with a comment".into()),
            (None, '$') => return Err("SQL with a dollar sign".into()),
            (None, ';') => ends += 1,
            _ => {}
        }
        before = c;
    }
    let one = quote.is_none() && ends == 1 && bare.ends_with(';') && bare.len() > 1;
    if one { Ok(()) } else { Err("SQL that is not one statement ended by `;`".into()) }
}

/// Whether the text is one `az` command that a shell takes word by word.
fn is_az(bare: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " \u{1}._-:/<>\",=".contains(c);
    let blanks_only = {
        let mut rest = bare.to_string();
        for blank in blanks(bare) {
            rest = rest.replace(&blank, "x");
        }
        !rest.contains(['<', '>'])
    };
    if bare.starts_with("az ")
        && bare.chars().all(plain)
        && blanks_only
        && bare.matches('"').count().is_multiple_of(2)
    {
        Ok(())
    } else {
        Err("an az command with more than plain words, options and blanks in angle brackets".into())
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::parse;

    /// What is wrong with an entry's fix on this side; nothing if it is taken.
    fn problems(side: &str, fix: &str) -> Vec<String> {
        let text = format!(
            "format = 1\n[[entry]]\nid = \"x\"\ntitle = \"T\"\nseverity = \"error\"\nscope = \"server\"\nside = \"{side}\"\n\
             actor = \"customer\"\narguments = [{{ name = \"user\", position = 0, kind = \"text\" }}]\n\
             wordings = [\"Something about {{user}} happened.\"]\n[entry.fix]\n{fix}\n"
        );
        match parse("my.toml", &text) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_string).collect(),
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let sql = |sql: &str| format!("kind = \"privilege\"\ntitle = \"T\"\nsql = ['''{sql}''']");
        let az = |az: &str| format!("kind = \"change\"\ntitle = \"T\"\naz = ['''{az}''']");
        let parameter = |key: &str| format!("kind = \"parameter\"\nparameters = [{{ name = \"p\", {key} }}]");
        for (fix, said) in [
            (sql("GRANT a TO {user};"), "`{user}` does not say how it is quoted"),
            (sql("GRANT a TO {user:raw};"), "quoted as ident, literal, number or word"),
            (sql("GRANT a TO {other:ident};"), "not among the entry's arguments"),
            (sql("GRANT a TO {user:ident}"), "not one statement"),
            (sql("GRANT a TO {user:ident}; SELECT 1;"), "not one statement"),
            (sql("SELECT 1; --"), "comment"),
            (sql("SELECT 1 /* x */;"), "comment"),
            (sql("SELECT 'a;"), "not one statement"),
            (sql("SELECT \"{user:ident}\";"), "values bring their own"),
            (sql("SELECT 'a {user:literal}';"), "values bring their own"),
            (sql("SELECT E'a';"), "quote behind a word"),
            (sql("SELECT {user:literal}x;"), "right before a word"),
            (sql("SELECT E{user:literal};"), "right behind a word"),
            (sql("SELECT {user:ident}{user:ident};"), "right behind a word"),
            (sql("SELECT $$x$$;"), "dollar"),
            (sql("\\! id;"), "backslash"),
            (sql("SELECT {user:ident;"), "unpaired braces"),
            (az("rm -rf {user:word}"), "an az command with more"),
            (az("az x --name {user:word} ; rm"), "an az command with more"),
            (az("az x --name $(id)"), "an az command with more"),
            (az("az x > file"), "an az command with more"),
            (az("az x --name {user:ident}"), "quoted as word or number"),
            (sql("GRANT a TO {user:word};"), "quoted as ident, literal or number"),
            (parameter("set = \"a b\""), "the value `a b`"),
            (parameter("at_least = \"other\""), "`other` is not among"),
            (parameter("add = \"user\""), "parameters of the target"),
            (parameter("set = \"1\", add = \"user\""), "needs one of"),
            ("kind = \"parameter\"".into(), "which need them"),
            ("kind = \"drop\"".into(), "no title"),
            ("kind = \"drop\"\ntitle = \"{x}\"".into(), "placeholder `{x}`"),
            ("kind = \"other\"".into(), "unknown variant"),
        ] {
            let problems = problems("source", &fix);
            assert!(problems.len() == 1 && problems[0].contains(said), "{fix}: {problems:?}");
        }
        for fix in [
            sql("GRANT a TO {user:ident};"),
            sql("SELECT f({user:literal}, 'a;b', {database:literal}) FROM <table>;"),
            az("az postgres x --name {user:word} --value \"<a-b>,c\""),
            parameter("at_least = \"user\""),
            parameter("at_least = \"<more than now>\""),
            "kind = \"support\"".into(),
        ] {
            assert_eq!(problems("source", &fix), [""; 0], "{fix}");
        }
        assert_eq!(problems("target", &parameter("add = \"user\"")), [""; 0]);
        assert!(problems("service", &parameter("set = \"1\""))[0].contains("not the migration service's"));
    }
}
