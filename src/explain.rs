//! Explanations: one catalogue entry as people and programs read it.
//!
//! An [`Entry`] comes in, a serializable view goes out; `explain` and `catalog list` print it. The view has the keys of a
//! pattern file and shows commands with their values open. It knows nothing of logs, and no format.

use crate::catalog::command::CommandTemplate;
use crate::catalog::fix::{Minimum, Parameter, ParameterChange, Within};
use crate::catalog::{Actor, ArgValue, Entry, Fix, FixKind, Scope, Severity, Side, ValueKind};
use serde::{Serialize, Serializer};

/// One catalogue entry.
#[derive(Debug, Serialize)]
pub struct Explanation<'a> {
    /// The code, or a slug where the service has none.
    pub id: &'a str,
    /// The service's code.
    pub code: Option<&'a str>,
    /// The service's short name.
    pub title: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// What it concerns.
    pub scope: Scope,
    /// Where it is fixed.
    pub side: Side,
    /// Who can fix it.
    pub actor: Actor,
    /// The support organization, for texts. The keys of the JSON form are those of an entry, without its file's head.
    #[serde(skip)]
    pub support: &'a str,
    /// Whether the fix restarts a server.
    pub restart: bool,
    /// What the message names.
    pub arguments: Vec<ArgumentView<'a>>,
    /// The message templates.
    pub wordings: Vec<&'a str>,
    /// Sentences that have arguments, but count only beside the code or message.
    pub followups: Vec<&'a str>,
    /// What to do.
    pub resolutions: Vec<&'a str>,
    /// How it is fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<FixView<'a>>,
    /// Where to read more.
    pub links: &'a [String],
    /// Texts that match, with their arguments.
    pub examples: Vec<ExampleView<'a>>,
}

/// An argument of an entry.
#[derive(Debug, Serialize)]
pub struct ArgumentView<'a> {
    /// Its name in placeholders and outputs.
    pub name: &'a str,
    /// The number in the service's own `{0}`.
    pub position: u32,
    /// What values look like.
    pub kind: ValueKind,
}

/// How an entry is fixed, under the keys of a pattern file.
#[derive(Debug, Serialize)]
pub struct FixView<'a> {
    /// The kind of step.
    pub kind: FixKind,
    /// What to do, with arguments as `{name}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    /// What to consider before doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caution: Option<&'a str>,
    /// Server parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterView<'a>>,
    /// SQL statements, with arguments as `<name>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sql: Vec<String>,
    /// `az` commands, with arguments as `<name>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub az: Vec<String>,
    /// Where the SQL is run, if there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
}

/// A server parameter; one of `set`, `at_least` and `add` is its change.
#[derive(Debug, Serialize)]
pub struct ParameterView<'a> {
    /// Its name.
    pub name: &'a str,
    /// The value that it is set to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<&'a str>,
    /// The value that it is raised to: an argument, or what the reader finds out, as `<name>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// The argument whose items are added to it, as `<name>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<String>,
}

impl<'a> From<&'a Fix> for FixView<'a> {
    fn from(fix: &'a Fix) -> FixView<'a> {
        // Without values nothing can be refused.
        let commands = |templates: &'a [CommandTemplate]| -> Vec<String> {
            let filled = templates.iter().filter_map(|template| template.fill(|_| None).ok());
            filled.map(|command| command.text).collect()
        };
        let parameter = |parameter: &'a Parameter| {
            let mut view = ParameterView { name: &parameter.name, set: None, at_least: None, add: None };
            match &parameter.change {
                ParameterChange::Set(value) => view.set = Some(value),
                ParameterChange::AtLeast(Minimum::Argument(name)) => {
                    view.at_least = Some(format!("<{name}>"))
                }
                ParameterChange::AtLeast(Minimum::Unknown(blank)) => view.at_least = Some(blank.clone()),
                ParameterChange::Add(name) => view.add = Some(format!("<{name}>")),
            }
            view
        };
        FixView {
            kind: fix.kind,
            title: fix.title.as_deref(),
            caution: fix.caution.as_deref(),
            parameters: fix.parameters.iter().map(parameter).collect(),
            sql: commands(&fix.sql),
            az: commands(&fix.az),
            within: (!fix.sql.is_empty()).then_some(fix.within),
        }
    }
}

/// A text that matches.
#[derive(Debug, Serialize)]
pub struct ExampleView<'a> {
    /// What a log might say.
    pub text: &'a str,
    /// The arguments that are found in it, in the entry's order.
    #[serde(serialize_with = "named")]
    pub args: Vec<(&'a str, &'a ArgValue)>,
}

impl<'a> From<&'a Entry> for Explanation<'a> {
    fn from(entry: &'a Entry) -> Explanation<'a> {
        let texts =
            |templates: &'a [crate::catalog::Template]| templates.iter().map(|t| t.text.as_str()).collect();
        let argument = |argument: &'a crate::catalog::Argument| ArgumentView {
            name: &argument.name,
            position: argument.position,
            kind: argument.kind,
        };
        let example = |example: &'a crate::catalog::Example| ExampleView {
            text: &example.text,
            args: entry
                .arguments
                .iter()
                .filter_map(|argument| Some((&*argument.name, example.args.get(&*argument.name)?)))
                .collect(),
        };
        Explanation {
            id: &entry.id,
            code: entry.code.as_deref(),
            title: &entry.title,
            severity: entry.severity,
            scope: entry.scope,
            side: entry.side,
            actor: entry.actor,
            support: &entry.vendor.support,
            restart: entry.restart,
            arguments: entry.arguments.iter().map(argument).collect(),
            wordings: texts(&entry.wordings),
            followups: texts(&entry.followups),
            resolutions: texts(&entry.resolutions),
            fix: entry.fix.as_ref().map(FixView::from),
            links: &entry.links,
            examples: entry.examples.iter().map(example).collect(),
        }
    }
}

fn named<S: Serializer>(args: &[(&str, &ArgValue)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(args.iter().copied())
}
