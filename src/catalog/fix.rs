//! Fixes: how a condition is repaired, as data of its entry.
//!
//! The `fix` table of an entry comes in, a checked [`Fix`] goes out: a kind that decides the place of its step in a
//! plan, server parameters, and [command templates](super::command). The module does not make plans or run anything.
//!
//! Parameters are data and no commands, because several entries ask for the same parameter: the plan merges what they
//! ask for (items of a list add up, of minimums the greatest counts) into one command and one restart for a server.

use super::Side;
use super::command::{CommandTemplate, Syntax, is_blank};
use super::template::Template;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;

/// The most commands in one language, and the most parameters.
const MAX_PARTS: usize = 16;

stable_names! {
    /// The kind of a plan's step; steps are done in the order of kinds.
    FixKind {
        /// The vendor's support fixes it.
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
        /// The migration must be set up differently.
        Migration = "migration",
        /// It must go another way than through the service.
        Elsewhere = "elsewhere",
        /// The entry's advice.
        Advice = "advice",
    }
}

stable_names! {
    /// Where SQL is run.
    #[derive(Default)]
    Within {
        /// Once on the server, in any database.
        #[default]
        Server = "server",
        /// In each database that it concerns.
        Database = "database",
    }
}

/// How a condition is repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The kind of step.
    pub kind: FixKind,
    /// What to do, in a few words, with the entry's arguments as `{name}`.
    pub title: Option<String>,
    /// What to consider before doing it.
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

/// A server parameter and its change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, lower-case letters, digits, `_` and `.`.
    pub name: String,
    /// Its new value.
    pub change: ParameterChange,
}

/// The change of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterChange {
    /// It is set to this.
    Set(String),
    /// It is raised to this or more: the greatest that is asked for counts.
    AtLeast(Minimum),
    /// The items of this argument are added to its list.
    Add(String),
}

/// The least value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Minimum {
    /// The value of the argument of this name.
    Argument(String),
    /// What the reader finds out: a text in angle brackets.
    Unknown(String),
}

/// The `fix` table as a pattern file has it.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Fix"))]
pub(super) struct RawFix {
    /// The kind of step.
    kind: FixKind,
    /// What to do, in a few words, with the entry's arguments as `{name}`.
    title: Option<String>,
    /// What to consider before doing it.
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

/// A server parameter: one of `set`, `at_least` and `add` is its change.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Parameter"))]
struct RawParameter {
    /// Its name.
    #[cfg_attr(test, schemars(regex(pattern = "^[a-z0-9_.]+$")))]
    name: String,
    /// The value that it is set to.
    set: Option<String>,
    /// The argument or number that it is raised to.
    at_least: Option<String>,
    /// The argument whose items are added to it.
    add: Option<String>,
}

/// What is wrong with a parameter.
#[derive(Debug)]
enum ParameterError {
    Name(String),
    NotDeclared(String),
    Value(String),
    AddOnSource,
    NotOneChange(String),
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterError::Name(name) => {
                write!(f, "the parameter `{name}` is not lower-case letters, digits, `_` and `.`")
            }
            ParameterError::NotDeclared(name) => write!(f, "`{name}` is not among the entry's arguments"),
            ParameterError::Value(value) => {
                write!(f, "the value `{value}` is not letters, digits, `_`, `.` and `-`")
            }
            ParameterError::AddOnSource => f.write_str("`add` is for parameters of the target"),
            ParameterError::NotOneChange(name) => {
                write!(f, "the parameter `{name}` needs one of set, at_least and add")
            }
        }
    }
}

impl RawFix {
    /// Checks the table of an entry with these arguments; each problem goes to `problem`.
    pub(super) fn check(self, names: &[&str], side: Side, problem: &mut dyn FnMut(String)) -> Fix {
        self.check_shape(side, problem);
        for text in self.title.iter().chain(&self.caution) {
            if let Err(error) = Template::parse(text, names) {
                problem(format!("fix: {error}"));
            }
        }
        let mut parameters = Vec::new();
        for raw in self.parameters.into_iter().take(MAX_PARTS) {
            match raw.check(names, side) {
                Ok(parameter) => parameters.push(parameter),
                Err(error) => problem(format!("fix: {error}")),
            }
        }
        let mut commands = |texts: Vec<String>, syntax: Syntax| {
            let mut templates = Vec::new();
            for text in texts.iter().take(MAX_PARTS) {
                match CommandTemplate::parse(text, names, syntax) {
                    Ok(template) => templates.push(template),
                    Err(error) => problem(format!("fix: {error}")),
                }
            }
            templates
        };
        let (sql, az) = (commands(self.sql, Syntax::Sql), commands(self.az, Syntax::Az));
        let (kind, title, caution, within) = (self.kind, self.title, self.caution, self.within);
        Fix { kind, title, caution, parameters, sql, az, within }
    }

    /// Checks which keys there are: a fix changes parameters or has commands, but not both.
    fn check_shape(&self, side: Side, problem: &mut dyn FnMut(String)) {
        let counts = [
            ("parameters", self.parameters.len()),
            ("statements", self.sql.len()),
            ("az commands", self.az.len()),
        ];
        for (what, count) in counts.into_iter().filter(|(_, count)| *count > MAX_PARTS) {
            problem(format!("fix: {count} {what}; at most {MAX_PARTS} are accepted"));
        }
        let settings = matches!(self.kind, FixKind::Allowlist | FixKind::Preload | FixKind::Parameter);
        if settings == self.parameters.is_empty() {
            let kinds = "the kinds allowlist, preload and parameter, which need them";
            problem(format!("fix: parameters belong to {kinds}"));
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
    }
}

impl RawParameter {
    fn check(self, names: &[&str], side: Side) -> Result<Parameter, ParameterError> {
        let name = self.name;
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        if name.is_empty() || !name.chars().all(word) || name.starts_with('.') || name.ends_with('.') {
            return Err(ParameterError::Name(name));
        }
        let argument = |text: String| {
            if names.contains(&text.as_str()) { Ok(text) } else { Err(ParameterError::NotDeclared(text)) }
        };
        let change = match (self.set, self.at_least, self.add) {
            (Some(value), None, None) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
                if value.is_empty() || !value.chars().all(plain) || value.starts_with('-') {
                    return Err(ParameterError::Value(value));
                }
                ParameterChange::Set(value)
            }
            (None, Some(least), None) if is_blank(&least) => {
                ParameterChange::AtLeast(Minimum::Unknown(least))
            }
            (None, Some(least), None) => ParameterChange::AtLeast(Minimum::Argument(argument(least)?)),
            (None, None, Some(list)) if side == Side::Target => ParameterChange::Add(argument(list)?),
            (None, None, Some(_)) => return Err(ParameterError::AddOnSource),
            _ => return Err(ParameterError::NotOneChange(name)),
        };
        Ok(Parameter { name, change })
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::parse;

    /// The problems of an entry with this fix on this side.
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
    fn every_problem_has_a_message() {
        let sql = |sql: &str| format!("kind = \"privilege\"\ntitle = \"T\"\nsql = ['''{sql}''']");
        let az = |az: &str| format!("kind = \"change\"\ntitle = \"T\"\naz = ['''{az}''']");
        let parameter = |key: &str| format!("kind = \"parameter\"\nparameters = [{{ name = \"p\", {key} }}]");
        for (fix, message) in [
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
            (sql("SELECT E'a';"), "quote after a word"),
            (sql("SELECT {user:literal}x;"), "right before a word"),
            (sql("SELECT E{user:literal};"), "right after a word"),
            (sql("SELECT {user:ident}{user:ident};"), "right after a word"),
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
            assert!(problems.len() == 1 && problems[0].contains(message), "{fix}: {problems:?}");
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
