//! Explanations: one catalogue entry as people and programs read it.
//!
//! An [`Entry`] comes in, a serialisable view goes out; `explain` and `catalog list` print it. One text feeds them all.

use crate::catalog::{Actor, ArgValue, Entry, Kind, Scope, Severity, Side};
use serde::{Serialize, Serializer};

/// One catalogue entry.
#[derive(Debug, Serialize)]
pub struct Explanation<'a> {
    /// The code, or a slug where the service gives none.
    pub id: &'a str,
    /// The service's code.
    pub code: Option<&'a str>,
    /// The service's short name.
    pub title: &'a str,
    /// How bad it is.
    pub severity: Severity,
    /// What it concerns.
    pub scope: Scope,
    /// Where the mending is done.
    pub side: Side,
    /// Who can mend it.
    pub actor: Actor,
    /// Whether mending it restarts a server.
    pub restart: bool,
    /// What the message names.
    pub arguments: Vec<ArgumentView<'a>>,
    /// The message templates.
    pub wordings: Vec<&'a str>,
    /// Sentences that give arguments beside the code or message.
    pub followups: Vec<&'a str>,
    /// What to do.
    pub resolutions: Vec<&'a str>,
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
    pub kind: Kind,
}

/// A text that matches.
#[derive(Debug, Serialize)]
pub struct ExampleView<'a> {
    /// What a log might say.
    pub text: &'a str,
    /// The arguments it gives, in the entry's order.
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
            restart: entry.restart,
            arguments: entry.arguments.iter().map(argument).collect(),
            wordings: texts(&entry.wordings),
            followups: texts(&entry.followups),
            resolutions: texts(&entry.resolutions),
            links: &entry.links,
            examples: entry.examples.iter().map(example).collect(),
        }
    }
}

fn named<S: Serializer>(args: &[(&str, &ArgValue)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(args.iter().copied())
}
