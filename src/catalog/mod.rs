//! The catalogue: what messages there are, what they mean and what to do.
//!
//! Pattern files come in, a [`Catalog`] of [`Entry`]s goes out: ids unique, placeholders declared, every wording with
//! something to find it by. The room knows nothing of logs or matching. An entry has one or more wordings and any
//! number of resolutions, because the published tables repeat codes with the same text and different advice.

mod builtin;
pub mod diff;
mod file;
pub mod fix;
pub mod import;
mod markdown;
pub mod quote;
mod render;
mod template;

pub use builtin::{BUILTIN_FILE, builtin};
#[cfg(test)]
pub(crate) use file::generated_schema;
pub use file::{MAX_ENTRIES, MAX_FILE_BYTES, parse, schema};
pub use fix::{Fix, FixKind};
pub use template::{Part, QUOTES, Sentence, Template};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The prefix of the service's error codes; a code is this and three more digits.
pub const CODE_PREFIX: &str = "603";

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(JsonSchema))]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $($name::$variant => $text),+ })
            }
        }
    };
}

/// All entries a scan knows.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The edition of the published table, of all files joined with `+`.
    pub edition: String,
    /// Entries in file order; a replaced entry keeps its place.
    pub entries: Vec<Arc<Entry>>,
    /// Ids that a later file replaced, in order of replacement.
    pub replaced: Vec<String>,
}

/// One condition the service reports, with all its wordings and all its advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The code, or a slug where the service gives none.
    pub id: Arc<str>,
    /// The service's code, six digits.
    pub code: Option<Arc<str>>,
    /// The service's short name for the condition.
    pub title: Arc<str>,
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
    /// What the message names, in the order of the service's own positions.
    pub arguments: Vec<Argument>,
    /// The message templates, without the title.
    pub wordings: Vec<Template>,
    /// Sentences that give arguments only beside the entry's code or message.
    pub followups: Vec<Template>,
    /// What to do, each distinct advice once.
    pub resolutions: Vec<Template>,
    /// What mends it, as a step of a plan.
    pub fix: Option<Fix>,
    /// Where to read more.
    pub links: Vec<String>,
    /// Texts that must match, with what must come out.
    pub examples: Vec<Example>,
    /// Texts that must not match.
    pub negatives: Vec<String>,
    /// Where all this stands in the pattern file.
    pub lines: Lines,
}

/// The 1-based lines of an entry's parts in its pattern file; says where a problem is and decides nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// Of the id.
    pub id: usize,
    /// Of each wording.
    pub wordings: Vec<usize>,
    /// Of each example's text.
    pub examples: Vec<usize>,
    /// Of each negative.
    pub negatives: Vec<usize>,
}

/// A named argument of an entry's templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name used in placeholders and outputs.
    pub name: Arc<str>,
    /// The number in the service's own `{0}`.
    pub position: u32,
    /// What values look like.
    pub kind: Kind,
    /// How several values become one in a resolution.
    pub merge: Merge,
    /// What the values name, where that tells whose they are; none where they may be shown to anyone.
    pub subject: Option<Subject>,
}

/// What the values of an argument look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any text: names of servers, databases, users, collations.
    Text,
    /// A comma list.
    List,
    /// A whole number.
    Number,
    /// Digits and dots.
    Version,
    /// One word without blanks.
    Word,
}

/// How several values of an argument become one in a resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Merge {
    /// Each distinct value, in order.
    #[default]
    Union,
    /// The greatest, for minimums: who satisfies it satisfies all.
    Max,
}

named! {
    /// What of somebody's own a value names: redaction replaces it.
    Subject {
        /// A server: a host name, an address, a resource.
        Server = "server",
        /// A database.
        Database = "database",
        /// A role or user.
        Role = "role",
        /// A table.
        Table = "table",
        /// A column of a table.
        Column = "column",
    }
}

/// A text that must match its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What a log might say.
    pub text: String,
    /// The arguments that must be recovered, no more and no fewer.
    pub args: HashMap<String, ArgValue>,
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub enum ArgValue {
    /// Text as logged, unescaped and unquoted.
    One(String),
    /// The items of a list.
    Many(Vec<String>),
}

impl fmt::Display for ArgValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgValue::One(value) => f.write_str(value),
            ArgValue::Many(values) => f.write_str(&values.join(", ")),
        }
    }
}

named! {
    /// How bad a condition is; a greater one is worse.
    Severity {
        /// The migration goes on.
        Warning = "warning",
        /// The migration stops.
        Error = "error",
    }
}
named! {
    /// What a condition concerns.
    Scope {
        /// A whole server.
        Server = "server",
        /// One database.
        Database = "database",
    }
}
named! {
    /// Where the mending is done.
    Side {
        /// On the source server.
        Source = "source",
        /// On the target server.
        Target = "target",
        /// On both servers.
        Both = "both",
        /// Inside the migration service.
        Service = "service",
    }
}
named! {
    /// Who can mend a condition.
    Actor {
        /// The person who migrates.
        Customer = "customer",
        /// Microsoft support.
        Support = "support",
        /// Nobody: the service does not take it.
        Unsupported = "unsupported",
    }
}

impl Entry {
    /// The names of the arguments, in order.
    pub fn argument_names(&self) -> Vec<&str> {
        self.arguments.iter().map(|argument| &*argument.name).collect()
    }
}

impl Catalog {
    /// Adds the entries of `other`; an id that exists is replaced in its place and noted in `replaced`.
    pub fn add(&mut self, other: Catalog) {
        if self.edition.is_empty() {
            self.edition = other.edition;
        } else if !other.edition.is_empty() {
            self.edition = format!("{}+{}", self.edition, other.edition);
        }
        let mut places: HashMap<Arc<str>, usize> =
            self.entries.iter().enumerate().map(|(i, entry)| (entry.id.clone(), i)).collect();
        for entry in other.entries {
            if let Some(&place) = places.get(&entry.id) {
                self.replaced.push(entry.id.to_string());
                self.entries[place] = entry;
            } else {
                places.insert(entry.id.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    /// The entry with this id.
    pub fn entry(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| &*entry.id == id)
    }

    /// A stable hash of everything that decides what is found and said: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            let mut field = |value: &str| {
                text.push_str(value);
                text.push('\0');
            };
            field(&entry.id);
            field(entry.code.as_deref().unwrap_or_default());
            field(&entry.title);
            let facts = (entry.severity, entry.scope, entry.side, entry.actor, entry.restart);
            field(&format!("{facts:?} {:?}", entry.arguments));
            for template in entry.wordings.iter().chain(&entry.followups).chain(&entry.resolutions) {
                field(&template.text);
            }
            entry.links.iter().for_each(|link| field(link));
            entry.fix.iter().for_each(|fix| field(&render::fix(fix)));
        }
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_entry_replaces_its_namesake_in_place() {
        let mut catalog = builtin().clone();
        let mut other = Catalog { edition: "mine".into(), ..Catalog::default() };
        let mut entry = Entry::clone(&catalog.entries[3]);
        entry.title = "Mine".into();
        other.entries.push(Arc::new(entry));
        let before = (catalog.entries.len(), catalog.fingerprint());
        catalog.add(other);
        assert_eq!(catalog.entries.len(), before.0);
        assert_eq!(&*catalog.entries[3].title, "Mine");
        assert_eq!(catalog.replaced, [catalog.entries[3].id.to_string()]);
        assert_ne!(catalog.fingerprint(), before.1);
        assert!(catalog.edition.ends_with("+mine"));
    }
}
