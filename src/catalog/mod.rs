//! The catalogue: the messages that a scan finds, what they mean and what to do about them.
//!
//! Pattern files come in, a [`Catalog`] of [`Entry`]s goes out: ids unique, placeholders declared, every wording with
//! something to find it by. The module knows nothing of logs or matching.
//!
//! An entry is one condition. It has one or more wordings and any number of resolutions, because the published tables
//! repeat a code with the same text and different advice. Everything that the rest of the program decides about a
//! condition is declared here, never derived from a name: who can fix it is its [`Actor`], what a value means is its
//! argument's [`Subject`], which commands fix it is its [`Fix`], and who supports it is its file's [`Vendor`].
//!
//! | module | purpose |
//! |---|---|
//! | `file` | parses a pattern file; `builtin` the one inside the binary, `render` writes one |
//! | `code` | codes, and the forms that a pattern file declares for them |
//! | `template` | messages as literal text and placeholders |
//! | `command`, `quote`, `fix`, `vendor` | commands with quoted values, and what uses them |
//! | `import`, `markdown` | a pattern file from a published table of codes |
//! | `diff`, `fingerprint` | whether two catalogues are the same, and where not |

/// Declares an enum whose variants have names of their own.
///
/// The names are what pattern files, JSON and fingerprints hold, so they outlive a renaming of the variants in Rust.
macro_rules! stable_names {
    ($(#[$attribute:meta])* $name:ident { $($(#[$variant_attribute:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        $(#[$attribute])*
        pub enum $name { $($(#[$variant_attribute])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Returns its name in pattern files and outputs.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// Returns the variant with this name.
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

mod builtin;
mod code;
pub mod command;
pub mod diff;
mod file;
mod fingerprint;
pub mod fix;
pub mod import;
mod markdown;
pub mod quote;
mod render;
mod template;
mod vendor;

pub use builtin::{BUILTIN_FILE, builtin, parse};
pub use code::{Alphabet, Code, CodeSpace, MAX_CODE_LEN, MAX_CODE_SPACES};
#[cfg(test)]
pub(crate) use file::generated_schema;
pub use file::{MAX_ARGUMENTS, MAX_ENTRIES, MAX_FILE_BYTES, schema};
pub use fix::{Fix, FixKind};
pub use template::{QUOTES, Sentence, Template, TemplateError, TemplatePart};
pub use vendor::{CommandTarget, NewValue, ServerCommands, Vendor};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// All entries that a scan looks for.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Catalog {
    /// The edition of the published table, of all files joined with `+`.
    pub edition: String,
    /// Entries in file order; an entry that replaces another has its place.
    pub entries: Vec<Arc<Entry>>,
    /// Ids that a later file replaced, in order of replacement.
    pub replaced: Vec<String>,
    /// The forms of the services' codes, each once, in file order.
    pub code_spaces: Vec<CodeSpace>,
}

/// One condition the service reports, with all its wordings and all its advice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The code, or a slug where the service has none.
    pub id: Arc<str>,
    /// The service's code, which is in one of the catalogue's code spaces.
    pub code: Option<Code>,
    /// The service's short name for the condition.
    pub title: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// What it concerns.
    pub scope: Scope,
    /// Where it is fixed.
    pub side: Side,
    /// Who can fix it.
    pub actor: Actor,
    /// Whether the fix restarts a server.
    pub restart: bool,
    /// What the message names, in the order of the service's own positions.
    pub arguments: Vec<Argument>,
    /// The message templates, without the title.
    pub wordings: Vec<Template>,
    /// Sentences that have arguments, but count only beside the entry's code or message.
    pub followups: Vec<Template>,
    /// What to do, each distinct advice once.
    pub resolutions: Vec<Template>,
    /// How it is fixed, as a step of a plan.
    pub fix: Option<Fix>,
    /// Where to read more.
    pub links: Vec<String>,
    /// Texts that must match, with the arguments that must be found.
    pub examples: Vec<Example>,
    /// Texts that must not match.
    pub negatives: Vec<String>,
    /// The vendor that its pattern file declares.
    pub vendor: Arc<Vendor>,
    /// Where its parts are in the pattern file.
    pub lines: EntryLines,
}

/// The 1-based lines of an entry's parts in its pattern file. They are for messages about problems and decide nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryLines {
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
    pub kind: ValueKind,
    /// How several values become one in a resolution.
    pub merge: Merge,
    /// What the values name, where reports or redaction need to know.
    pub subject: Option<Subject>,
}

stable_names! {
    /// What the values of an argument look like.
    #[cfg_attr(test, schemars(rename = "Kind"))]
    ValueKind {
        /// Any text: names of servers, databases, users, collations.
        Text = "text",
        /// A comma list.
        List = "list",
        /// A whole number.
        Number = "number",
        /// Digits and dots.
        Version = "version",
        /// One word without blanks.
        Word = "word",
    }
}
stable_names! {
    /// How several values of an argument become one in a resolution.
    #[derive(Default)]
    Merge {
        /// Each distinct value, in order.
        #[default]
        Union = "union",
        /// The greatest, for minimums: it satisfies all of them.
        Max = "max",
    }
}
stable_names! {
    /// What the values of an argument name.
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
        /// An extension of PostgreSQL.
        Extension = "extension",
    }
}

impl Subject {
    /// Whether its names are the user's own, so that redaction replaces them. Extensions have public names.
    pub const fn is_private(self) -> bool {
        match self {
            Subject::Server | Subject::Database | Subject::Role | Subject::Table | Subject::Column => true,
            Subject::Extension => false,
        }
    }
}

/// A text that must match its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// What a log might say.
    pub text: String,
    /// The arguments that must be found, no more and no fewer.
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

impl ArgValue {
    /// Returns the items of a list, or the only value.
    pub fn items(&self) -> &[String] {
        match self {
            ArgValue::One(value) => std::slice::from_ref(value),
            ArgValue::Many(values) => values,
        }
    }
}

impl fmt::Display for ArgValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArgValue::One(value) => f.write_str(value),
            ArgValue::Many(values) => f.write_str(&values.join(", ")),
        }
    }
}

stable_names! {
    /// How bad a condition is; a greater one is worse.
    Severity {
        /// The migration goes on.
        Warning = "warning",
        /// The migration stops.
        Error = "error",
    }
}
stable_names! {
    /// What a condition concerns.
    Scope {
        /// A whole server.
        Server = "server",
        /// One database.
        Database = "database",
    }
}
stable_names! {
    /// Where a condition is fixed.
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
stable_names! {
    /// Who can fix a condition.
    Actor {
        /// The person who migrates.
        Customer = "customer",
        /// The vendor's support.
        Support = "support",
        /// Nobody: the service does not support it.
        Unsupported = "unsupported",
    }
}

impl Entry {
    /// Returns the names of the arguments, in order.
    pub fn argument_names(&self) -> Vec<&str> {
        self.arguments.iter().map(|argument| &*argument.name).collect()
    }

    /// Returns the argument of this name.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| *argument.name == *name)
    }

    /// Returns what the argument of this name names.
    pub fn subject(&self, name: &str) -> Option<Subject> {
        self.argument(name)?.subject
    }

    /// Returns the first value among `args` that names one `subject`; a list names several and is passed over.
    pub fn value_of<'a>(&self, subject: Subject, args: &'a [(Arc<str>, ArgValue)]) -> Option<&'a str> {
        args.iter().find_map(|(name, value)| match value {
            ArgValue::One(value) if self.subject(name) == Some(subject) => Some(value.as_str()),
            _ => None,
        })
    }

    /// Returns all values among `args` that name a `subject`, lists item by item.
    pub fn values_of<'a>(
        &self,
        subject: Subject,
        args: &'a [(Arc<str>, ArgValue)],
    ) -> impl Iterator<Item = &'a str> {
        let about = args.iter().filter(move |(name, _)| self.subject(name) == Some(subject));
        about.flat_map(|(_, value)| value.items()).map(String::as_str)
    }
}

impl Catalog {
    /// Adds the code spaces that it does not have yet.
    fn add_code_spaces(&mut self, spaces: &[CodeSpace]) {
        for space in spaces {
            if !self.code_spaces.contains(space) {
                self.code_spaces.push(space.clone());
            }
        }
    }

    /// Whether `text` has the form of a code, whether an entry lists it or not.
    pub fn is_code(&self, text: &str) -> bool {
        self.code_spaces.iter().any(|space| space.contains(text))
    }

    /// Adds the entries of `other`; an entry whose id exists replaces the old one in its place, which `replaced` notes.
    pub fn add(&mut self, other: Catalog) {
        if self.edition.is_empty() {
            self.edition = other.edition;
        } else if !other.edition.is_empty() {
            self.edition = format!("{}+{}", self.edition, other.edition);
        }
        self.add_code_spaces(&other.code_spaces);
        let mut places: HashMap<Arc<str>, usize> =
            self.entries.iter().enumerate().map(|(i, entry)| (entry.id.clone(), i)).collect();
        for entry in other.entries {
            let place = places.get(&entry.id).copied();
            let entry = self.with_vendor(entry, place);
            if let Some(place) = place {
                self.replaced.push(entry.id.to_string());
                self.entries[place] = entry;
            } else {
                places.insert(entry.id.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    /// Returns an entry that is added at `place`, if it replaces one. Where its own file declares no vendor, it has that of
    /// the entry that it replaces, or of the service that its code is of: a file that corrects a built-in entry need not
    /// repeat how the service's servers are changed.
    fn with_vendor(&self, entry: Arc<Entry>, place: Option<usize>) -> Arc<Entry> {
        let known = match place {
            _ if *entry.vendor != Vendor::default() => return entry,
            Some(place) => Some(&self.entries[place]),
            None => self.entry_of_space(&entry.id).or_else(|| builtin().entry_of_space(&entry.id)),
        };
        match known {
            Some(known) => Arc::new(Entry { vendor: known.vendor.clone(), ..Entry::clone(&entry) }),
            None => entry,
        }
    }

    /// Returns the entry with this id.
    pub fn entry(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| &*entry.id == id)
    }

    /// Returns the vendor to ask about the code or id: its entry's. For a code that no entry lists, it is the vendor of
    /// the other codes in its code space, which are the built-in ones if this catalogue lists none of the space.
    pub fn vendor(&self, id: &str) -> Arc<Vendor> {
        let listed = self.entry(id).or_else(|| self.entry_of_space(id));
        let entry = listed.or_else(|| builtin().entry_of_space(id));
        entry.map(|entry| entry.vendor.clone()).unwrap_or_default()
    }

    /// Returns the first entry whose code is in the same code space as `code`.
    fn entry_of_space(&self, code: &str) -> Option<&Arc<Entry>> {
        let space = self.code_spaces.iter().find(|space| space.contains(code))?;
        self.entries.iter().find(|entry| entry.code.is_some_and(|known| space.contains(&*known)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_entry_replaces_the_one_with_its_id_in_place() {
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

    #[test]
    fn a_code_without_an_entry_has_the_vendor_of_its_space() {
        let known = builtin().entries[0].vendor.clone();
        assert_eq!(builtin().vendor("603104"), known);
        assert_eq!(builtin().vendor("603999"), known);
        assert_eq!(Catalog::without_entries().vendor("603999"), known);
        assert_eq!(*builtin().vendor("disk-quota"), Vendor::default());
        let mut own = Catalog { entries: builtin().entries[..2].to_vec(), ..Catalog::default() };
        for (entry, id) in own.entries.iter_mut().zip(["603999", "disk-quota"]) {
            let (id, code) = (id.into(), Code::new(id));
            *entry = Arc::new(Entry { id, code, vendor: Arc::default(), ..Entry::clone(entry) });
        }
        for mut catalog in [builtin().clone(), Catalog::without_entries()] {
            catalog.add(own.clone());
            assert_eq!(catalog.entry("603999").map(|entry| entry.vendor.clone()), Some(known.clone()));
            assert_eq!(catalog.entry("disk-quota").map(|entry| entry.vendor.clone()), Some(Arc::default()));
        }
    }

    #[test]
    fn values_are_found_by_subject() {
        let text = "format = 1\n[[entry]]\nid = \"x\"\ntitle = \"T\"\nseverity = \"error\"\nscope = \"server\"\n\
                    side = \"source\"\nactor = \"customer\"\narguments = [\n\
                    { name = \"server\", position = 0, kind = \"text\" },\n\
                    { name = \"host\", position = 1, kind = \"text\", subject = \"server\" },\n\
                    { name = \"libraries\", position = 2, kind = \"list\", subject = \"extension\" },\n]\n\
                    wordings = [\"Loading of {libraries} by {host} for {server} failed.\"]\n";
        let catalog = parse("my.toml", text).expect("parses");
        let entry = &catalog.entries[0];
        let one = |value: &str| ArgValue::One(value.into());
        let libraries = ArgValue::Many(vec!["a".into(), "b".into()]);
        let args = [("server".into(), one("s")), ("host".into(), one("h")), ("libraries".into(), libraries)];
        assert_eq!(entry.value_of(Subject::Server, &args), Some("h"));
        assert_eq!(entry.value_of(Subject::Extension, &args), None, "a list names several");
        assert_eq!(entry.values_of(Subject::Extension, &args).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(entry.value_of(Subject::Database, &args), None);
    }
}
