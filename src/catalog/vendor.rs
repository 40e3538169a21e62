//! Vendors: who supports the service that a pattern file is about, and how its servers are changed.
//!
//! The `vendor` table at the head of a pattern file comes in, a checked [`Vendor`] goes out; every entry of the file
//! refers to it. The name of the support organization and the commands of a plan come from here, so that no report is
//! tied to one vendor. A file without the table is about no managed service: its reports say
//! "support", and parameters are set in SQL.

use super::command::{CommandError, CommandTemplate, Syntax};
use super::quote::Quoting;
use crate::text::is_hidden;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;

/// The longest name of a support organization, in characters.
const MAX_NAME: usize = 60;
/// Placeholders of a vendor's commands.
const GROUP: &str = "resource-group";
const SERVER: &str = "server";
const PARAMETER: &str = "parameter";
const VALUE: &str = "value";

/// Who supports a service, and how its servers are changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// The support organization as texts name it: "needs …", "by …", "for …".
    pub support: String,
    /// The commands that change the vendor's servers.
    pub server: Option<ServerCommands>,
}

/// The commands that change a server, in the vendor's command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCommands {
    /// Prints the value of a parameter.
    pub show_parameter: CommandTemplate,
    /// Sets a parameter.
    pub set_parameter: CommandTemplate,
    /// Restarts the server.
    pub restart: CommandTemplate,
}

/// The server that a command is about, as far as the logs name it.
#[derive(Debug, Clone, Copy)]
pub struct CommandTarget<'a> {
    /// Its resource group.
    pub group: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// What the reader fills in where the name is not known, without its brackets.
    pub name_blank: &'a str,
}

/// The new value of a parameter. All texts are words or blanks that need no more quoting than angle brackets and
/// commas do.
#[derive(Debug, Clone)]
pub enum NewValue {
    /// This value.
    Exactly(String),
    /// What the reader fills in: words in angle brackets.
    Blank(String),
    /// The current list and these items.
    WithItems(Vec<String>),
}

impl Default for Vendor {
    fn default() -> Vendor {
        Vendor { support: "support".into(), server: None }
    }
}

impl ServerCommands {
    /// Returns the commands that set the parameter to its new value.
    pub fn set(&self, target: CommandTarget<'_>, parameter: &str, value: &NewValue) -> Vec<String> {
        let mut commands = Vec::new();
        let value = match value {
            NewValue::Exactly(value) => value.clone(),
            NewValue::Blank(blank) => format!("\"{blank}\""),
            NewValue::WithItems(items) => {
                // Setting a list replaces it, so that its present items must be in the command, too.
                commands.push(target.fill(&self.show_parameter, parameter, ""));
                format!("\"<current-value>,{}\"", items.join(","))
            }
        };
        commands.push(target.fill(&self.set_parameter, parameter, &value));
        commands
    }

    /// Returns the command that restarts the server.
    pub fn restart(&self, target: CommandTarget<'_>) -> String {
        target.fill(&self.restart, "", "")
    }

    pub(super) fn templates(&self) -> [(&'static str, &CommandTemplate); 3] {
        [
            ("show_parameter", &self.show_parameter),
            ("set_parameter", &self.set_parameter),
            ("restart", &self.restart),
        ]
    }
}

impl CommandTarget<'_> {
    /// Fills in a command. A name that cannot be quoted is left to the reader, as one that is not known.
    fn fill(self, command: &CommandTemplate, parameter: &str, value: &str) -> String {
        let word = |value: Option<&str>, blank: &str| {
            value.and_then(|value| Quoting::Word.quote(value).ok()).unwrap_or_else(|| format!("<{blank}>"))
        };
        command.fill_quoted(|name| match name {
            GROUP => word(self.group, GROUP),
            SERVER => word(self.name, self.name_blank),
            PARAMETER => parameter.to_string(),
            VALUE => value.to_string(),
            other => format!("<{other}>"),
        })
    }
}

/// Who supports the service, and the commands that change its servers.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Vendor"))]
pub(super) struct RawVendor {
    /// The support organization as it reads after "needs", "by" and "for".
    #[cfg_attr(test, schemars(length(min = 1, max = MAX_NAME)))]
    support: String,
    /// The commands that change a server of the vendor.
    server: Option<RawServerCommands>,
}

/// `az` commands with the placeholders `{resource-group:word}`, `{server:word}`, `{parameter:word}`, `{value:word}`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "ServerCommands"))]
struct RawServerCommands {
    /// Prints the value of a parameter.
    show_parameter: String,
    /// Sets a parameter.
    set_parameter: String,
    /// Restarts the server.
    restart: String,
}

/// What is wrong with a `vendor` table.
#[derive(Debug)]
pub(super) enum VendorError {
    /// The name of the support organization is empty, too long or not plain text.
    Support,
    /// A command is no template.
    Command(&'static str, CommandError),
    /// A command lacks a placeholder.
    Missing(&'static str, &'static str),
}

impl fmt::Display for VendorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VendorError::Support => {
                write!(f, "vendor: `support` is not 1 to {MAX_NAME} printable characters")
            }
            VendorError::Command(key, error) => write!(f, "vendor: {key}: {error}"),
            VendorError::Missing(key, name) => write!(f, "vendor: {key}: no placeholder `{{{name}:word}}`"),
        }
    }
}

impl RawVendor {
    /// Checks the table.
    pub(super) fn check(self) -> Result<Vendor, VendorError> {
        let support = self.support.trim().to_string();
        if support.is_empty() || support.chars().count() > MAX_NAME || support.contains(is_hidden) {
            return Err(VendorError::Support);
        }
        let server = self.server.map(RawServerCommands::check).transpose()?;
        Ok(Vendor { support, server })
    }
}

impl RawServerCommands {
    fn check(self) -> Result<ServerCommands, VendorError> {
        let parse = |key: &'static str, text: &str, needed: &[&'static str]| {
            let names = [&[GROUP, SERVER], needed].concat();
            let command = CommandTemplate::parse(text, &names, Syntax::Az)
                .map_err(|error| VendorError::Command(key, error))?;
            match [&[SERVER], needed].concat().into_iter().find(|name| command.names().all(|n| n != *name)) {
                Some(missing) => Err(VendorError::Missing(key, missing)),
                None => Ok(command),
            }
        };
        Ok(ServerCommands {
            show_parameter: parse("show_parameter", &self.show_parameter, &[PARAMETER])?,
            set_parameter: parse("set_parameter", &self.set_parameter, &[PARAMETER, VALUE])?,
            restart: parse("restart", &self.restart, &[])?,
        })
    }
}
