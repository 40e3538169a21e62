//! Pattern files: TOML comes in, a checked [`Catalog`] goes out, or every problem with its line.
//!
//! The format is described in `patterns/README.md`. Problems are collected, not returned one by one, because people fix
//! a file in one go. Whether a wording finds anything is not checked here: only the matcher knows,
//! which the `check` module asks.
//!
//! A file goes through two forms. `Raw…` structs are what `serde` reads and what the JSON Schema describes; each keeps
//! the byte range of what a message may point at. [`Parser`] then checks them and makes an [`Entry`] of each. A file may
//! be hostile, so that its size and all its counts are limited before anything is compared with anything.

use super::fix::RawFix;
use super::vendor::{RawVendor, Vendor};
use super::{
    Actor, Alphabet, ArgValue, Argument, Catalog, Code, CodeSpace, Entry, EntryLines, Example, MAX_CODE_LEN,
    MAX_CODE_SPACES, Merge, Scope, Severity, Side, Subject, Template, TemplatePart, ValueKind,
};
use crate::error::{CatalogProblem, Error};
use crate::text::LineIndex;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use toml::Spanned;

/// The format version this program reads.
const FORMAT: u32 = 1;
/// The largest pattern file, in bytes; the built-in one has about 70 kB. Parsed TOML needs up to 80 times the size of
/// the file in memory (an array of one-digit numbers).
pub const MAX_FILE_BYTES: usize = 2 << 20;
/// The most entries a file may hold.
pub const MAX_ENTRIES: usize = 10_000;
/// The most arguments of an entry.
pub const MAX_ARGUMENTS: usize = 64;
/// The most texts of one kind (wordings, examples and so on) of an entry.
const MAX_TEXTS: usize = 256;
/// The most problems reported of one file; the others are counted.
const MAX_PROBLEMS: usize = 1000;
/// The shortest word that a wording's first sentence must hold, in letters, to be found by.
const MIN_WORD: usize = 5;

/// Messages to look for and what to do about them.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "PatternFile"))]
struct RawFile {
    /// The version of the file format.
    #[cfg_attr(test, schemars(extend("const" = FORMAT)))]
    format: u32,
    /// Names the file for people; nothing is derived from it.
    #[serde(default)]
    #[allow(dead_code, reason = "names the file for people; nothing is derived from it")]
    name: String,
    /// The edition of the published table that the entries come from.
    #[serde(default)]
    edition: String,
    /// Who supports the service, and the commands that change its servers.
    #[cfg_attr(test, schemars(with = "Option<RawVendor>"))]
    vendor: Option<Spanned<RawVendor>>,
    /// The forms of the codes that the file's entries have, and of others of the same service.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<RawCodeSpace>", length(max = MAX_CODE_SPACES)))]
    code_space: Vec<Spanned<RawCodeSpace>>,
    /// One condition each.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<RawEntry>", length(min = 1, max = MAX_ENTRIES)))]
    entry: Vec<Spanned<RawEntry>>,
}

/// The form of a service's codes.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "CodeSpace"))]
struct RawCodeSpace {
    /// The first characters of every code, digits and upper-case letters; scans search for them.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9A-Z]+$")))]
    prefix: String,
    /// The characters after the prefix.
    alphabet: Alphabet,
    /// The length of a code, prefix included.
    #[cfg_attr(test, schemars(range(min = 2, max = MAX_CODE_LEN)))]
    length: usize,
    /// How people call such a code: "code", "SQLSTATE", "service code". In a log it announces one, as "error" and "code" do.
    #[serde(default = "usual_word")]
    #[cfg_attr(test, schemars(regex(pattern = "^[A-Za-z]([A-Za-z ]*[A-Za-z])?$"), length(max = 30)))]
    word: String,
}

fn usual_word() -> String {
    "code".into()
}

/// One condition that the service reports, with all its wordings and all its advice.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Entry"))]
struct RawEntry {
    /// The code, or a slug where the service has none.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^([a-z0-9-]+|[0-9A-Z]+)$")))]
    id: Spanned<String>,
    /// The service's code, which is in one of the code spaces; the id is the same.
    #[cfg_attr(test, schemars(with = "Option<String>", regex(pattern = "^[0-9A-Z]{2,15}$")))]
    code: Option<Spanned<String>>,
    /// The service's short name for the condition.
    #[cfg_attr(test, schemars(with = "String", length(min = 1)))]
    title: Spanned<String>,
    /// How bad it is.
    severity: Severity,
    /// What it concerns.
    scope: Scope,
    /// Where it is fixed.
    side: Side,
    /// Who can fix it.
    actor: Actor,
    /// Whether the fix restarts a server.
    #[serde(default)]
    restart: bool,
    /// What the texts name, in the order of the service's own positions.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_ARGUMENTS)))]
    arguments: Vec<RawArgument>,
    /// The message templates, without the title: placeholders are `{name}`.
    #[cfg_attr(test, schemars(with = "Vec<String>", length(max = MAX_TEXTS)))]
    wordings: Vec<Spanned<String>>,
    /// Sentences that have arguments, but count only beside the entry's code or message.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>", length(max = MAX_TEXTS)))]
    followups: Vec<Spanned<String>>,
    /// What to do, each distinct advice once.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>", length(max = MAX_TEXTS)))]
    resolutions: Vec<Spanned<String>>,
    /// How it is fixed, as data.
    #[cfg_attr(test, schemars(with = "Option<RawFix>"))]
    fix: Option<Spanned<RawFix>>,
    /// Where to read more.
    #[serde(default)]
    links: Vec<String>,
    /// Texts that must match, with the arguments that must be found.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_TEXTS)))]
    examples: Vec<RawExample>,
    /// Texts that must not match.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<String>", length(max = MAX_TEXTS)))]
    negatives: Vec<Spanned<String>>,
}

/// A named argument of an entry's texts.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Argument"))]
struct RawArgument {
    /// The name used in placeholders and outputs.
    #[cfg_attr(test, schemars(with = "String", regex(pattern = "^[a-z0-9_]+$")))]
    name: Spanned<String>,
    /// The number in the service's own `{0}`.
    position: u32,
    /// What values look like.
    kind: ValueKind,
    /// How several values become one in a resolution.
    #[serde(default)]
    merge: Merge,
    /// What the values name. Redaction replaces names of servers, databases, roles, tables and columns.
    subject: Option<Subject>,
}

/// A text that must match its entry.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, schemars(rename = "Example"))]
struct RawExample {
    /// What a log might say.
    #[cfg_attr(test, schemars(with = "String"))]
    text: Spanned<String>,
    /// The arguments that must be found, no more and no fewer.
    #[serde(default)]
    args: HashMap<String, ArgValue>,
}

/// Returns the JSON Schema of a pattern file, for editors that check TOML.
///
/// It is a text, so that only tests compile what generates it; a test holds it to the types that read the file.
pub fn schema() -> &'static str {
    include_str!("schema.json")
}

/// Generates the text of [`schema`].
#[cfg(test)]
pub(crate) fn generated_schema() -> schemars::Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.for_deserialize().into_generator().into_root_schema_for::<RawFile>()
}

/// Parses the pattern file `name` with the content `text`. Its entries may have codes of `known` spaces, too.
///
/// # Errors
///
/// [`Error::Catalog`] with every problem found.
pub(super) fn parse(name: &str, text: &str, known: &[CodeSpace]) -> Result<Catalog, Error> {
    let lines = LineIndex::new(text.get(..MAX_FILE_BYTES).unwrap_or(text));
    let mut parser = Parser {
        file: name,
        text,
        lines,
        vendor: Arc::default(),
        known_spaces: known,
        problems: Vec::new(),
        unreported: 0,
    };
    match parser.catalog() {
        Some(catalog) if parser.problems.is_empty() => Ok(catalog),
        _ => Err(Error::Catalog(parser.into_problems())),
    }
}

/// Checks one file. Problems are added up; what follows one is checked as well as it can be.
struct Parser<'a> {
    file: &'a str,
    text: &'a str,
    lines: LineIndex,
    /// Spaces that need no declaration.
    known_spaces: &'a [CodeSpace],
    /// The vendor of the file's head.
    vendor: Arc<Vendor>,
    problems: Vec<CatalogProblem>,
    /// Problems beyond [`MAX_PROBLEMS`].
    unreported: usize,
}

impl Parser<'_> {
    /// Parses the file; none where a problem makes the rest pointless.
    fn catalog(&mut self) -> Option<Catalog> {
        if self.text.len() > MAX_FILE_BYTES {
            self.problem(None, None, format!("larger than {MAX_FILE_BYTES} bytes"));
            return None;
        }
        let raw: RawFile = match toml::from_str(self.text) {
            Ok(raw) => raw,
            Err(error) => {
                let at = error.span().map(|span| span.start);
                let entry = at.and_then(|at| self.entry_before(at));
                self.problem(at, entry.as_deref(), one_line(error.message()));
                return None;
            }
        };
        if raw.format != FORMAT {
            let message = format!("format {} is not known; this program reads {FORMAT}", raw.format);
            self.problem(Some(0), None, message);
        }
        if raw.entry.is_empty() {
            self.problem(None, None, "no [[entry]]".to_string());
        }
        if raw.entry.len() > MAX_ENTRIES {
            let message = format!("{} entries; at most {MAX_ENTRIES} are accepted", raw.entry.len());
            self.problem(None, None, message);
            return None;
        }
        if let Some(vendor) = raw.vendor {
            let at = vendor.span().start;
            match vendor.into_inner().check() {
                Ok(vendor) => self.vendor = Arc::new(vendor),
                Err(error) => self.problem(Some(at), None, error.to_string()),
            }
        }
        let code_spaces = self.code_spaces(raw.code_space);
        let mut catalog = Catalog { edition: raw.edition, code_spaces, ..Catalog::default() };
        let mut ids = HashSet::new();
        for raw in raw.entry {
            let raw = raw.into_inner();
            let id = raw.id.get_ref().clone();
            if !ids.insert(id.clone()) {
                let at = raw.id.span().start;
                self.problem(Some(at), Some(&id), "this id occurs twice in the file".into());
            }
            catalog.entries.push(Arc::new(self.entry(raw, &catalog.code_spaces)));
        }
        Some(catalog)
    }

    /// Notes a problem, at the byte `at` and in the entry of this id, where these are known.
    fn problem(&mut self, at: Option<usize>, entry: Option<&str>, message: String) {
        if self.problems.len() >= MAX_PROBLEMS {
            self.unreported += 1;
            return;
        }
        let line = at.map(|at| self.lines.line(at));
        let (file, entry) = (self.file.to_string(), entry.map(str::to_string));
        self.problems.push(CatalogProblem { file, line, entry, message });
    }

    fn into_problems(self) -> Vec<CatalogProblem> {
        let mut problems = self.problems;
        if self.unreported > 0 {
            let message = format!("and {} problems more", self.unreported);
            problems.push(CatalogProblem { file: self.file.to_string(), line: None, entry: None, message });
        }
        problems
    }

    /// Guesses the id of the entry that a syntax error at `at` is in, from the plain text.
    fn entry_before(&self, at: usize) -> Option<String> {
        let before = self.text.get(..at)?;
        let entry = &self.text[before.rfind("[[entry]]")?..];
        let next = entry[1..].find("[[entry]]").map_or(entry.len(), |next| next + 1);
        let line = entry[..next].lines().find(|line| line.trim_start().starts_with("id"))?;
        line.split('"').nth(1).map(str::to_string)
    }

    /// Checks the declared code spaces; equal ones are one.
    fn code_spaces(&mut self, raw: Vec<Spanned<RawCodeSpace>>) -> Vec<CodeSpace> {
        let mut spaces = Vec::new();
        for raw in raw {
            let at = raw.span().start;
            let RawCodeSpace { prefix, alphabet, length, word } = raw.into_inner();
            match CodeSpace::new(&prefix, alphabet, length, &word) {
                Ok(space) if spaces.contains(&space) => {}
                Ok(space) => spaces.push(space),
                Err(message) => self.problem(Some(at), None, message),
            }
        }
        let most = MAX_CODE_SPACES.saturating_sub(self.known_spaces.len());
        if spaces.len() > most {
            let message = format!("{} code spaces; at most {most} are accepted", spaces.len());
            self.problem(None, None, message);
            spaces.truncate(most);
        }
        spaces
    }

    fn entry(&mut self, mut raw: RawEntry, spaces: &[CodeSpace]) -> Entry {
        let id = raw.id.get_ref().clone();
        let code = self.check_id(&raw, spaces);
        self.check_counts(&mut raw);
        let lines = self.entry_lines(&raw);
        let arguments = self.arguments(&id, raw.arguments);
        let names: Vec<&str> = arguments.iter().map(|argument| &*argument.name).collect();
        if raw.wordings.is_empty() && raw.code.is_none() {
            self.problem(Some(raw.id.span().start), Some(&id), "neither a code nor a wording".into());
        }
        let wordings = self.templates(&id, &names, &raw.wordings);
        for (wording, raw) in wordings.iter().zip(&raw.wordings) {
            self.check_first_sentence(&id, wording, raw.span().start);
        }
        let followups = self.templates(&id, &names, &raw.followups);
        let resolutions = self.templates(&id, &names, &raw.resolutions);
        let fix = raw.fix.map(|fix| {
            let at = fix.span().start;
            fix.into_inner()
                .check(&names, raw.side, &mut |message| self.problem(Some(at), Some(&id), message))
        });
        let mut examples = Vec::new();
        for example in raw.examples {
            for name in example.args.keys().filter(|name| !names.contains(&name.as_str())) {
                let at = Some(example.text.span().start);
                self.problem(
                    at,
                    Some(&id),
                    format!("the example's `{name}` is not among the entry's arguments"),
                );
            }
            examples.push(Example { text: example.text.into_inner(), args: example.args });
        }
        Entry {
            id: id.into(),
            code,
            title: raw.title.into_inner().into(),
            severity: raw.severity,
            scope: raw.scope,
            side: raw.side,
            actor: raw.actor,
            restart: raw.restart,
            arguments,
            wordings,
            followups,
            resolutions,
            fix,
            links: raw.links,
            examples,
            negatives: raw.negatives.into_iter().map(Spanned::into_inner).collect(),
            vendor: self.vendor.clone(),
            lines,
        }
    }

    fn entry_lines(&self, raw: &RawEntry) -> EntryLines {
        let line = |text: &Spanned<String>| self.lines.line(text.span().start);
        let lines = |texts: &[Spanned<String>]| texts.iter().map(line).collect();
        EntryLines {
            id: line(&raw.id),
            wordings: lines(&raw.wordings),
            examples: raw.examples.iter().map(|example| line(&example.text)).collect(),
            negatives: lines(&raw.negatives),
        }
    }

    /// Truncates lists that are too long: each text is compared with all others of its entry.
    fn check_counts(&mut self, raw: &mut RawEntry) {
        let counts = [
            ("arguments", raw.arguments.len(), MAX_ARGUMENTS),
            ("wordings", raw.wordings.len(), MAX_TEXTS),
            ("followups", raw.followups.len(), MAX_TEXTS),
            ("resolutions", raw.resolutions.len(), MAX_TEXTS),
            ("examples", raw.examples.len(), MAX_TEXTS),
            ("negatives", raw.negatives.len(), MAX_TEXTS),
        ];
        for (name, count, most) in counts.into_iter().filter(|(_, count, most)| count > most) {
            let message = format!("{count} {name}; at most {most} are accepted");
            self.problem(Some(raw.id.span().start), Some(raw.id.get_ref()), message);
        }
        raw.arguments.truncate(MAX_ARGUMENTS);
        for texts in [&mut raw.wordings, &mut raw.followups, &mut raw.resolutions, &mut raw.negatives] {
            texts.truncate(MAX_TEXTS);
        }
        raw.examples.truncate(MAX_TEXTS);
    }

    /// Checks id, code and title; returns the code if it is one.
    fn check_id(&mut self, raw: &RawEntry, spaces: &[CodeSpace]) -> Option<Code> {
        let id = raw.id.get_ref();
        let is_slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_own_code = raw.code.as_ref().is_some_and(|code| code.get_ref() == id);
        if !is_own_code && (id.is_empty() || !id.chars().all(is_slug)) {
            let message = format!("the id `{id}` is not lower-case letters, digits and hyphens");
            self.problem(Some(raw.id.span().start), Some(id), message);
        }
        let code = self.check_code(raw, spaces);
        if raw.title.get_ref().trim().is_empty() {
            self.problem(Some(raw.title.span().start), Some(id), "the title is empty".into());
        }
        code
    }

    /// Checks the code of an entry; returns it if it has the characters of one.
    fn check_code(&mut self, raw: &RawEntry, spaces: &[CodeSpace]) -> Option<Code> {
        let (id, text) = (raw.id.get_ref(), raw.code.as_ref()?);
        let (text, at) = (text.get_ref(), Some(text.span().start));
        let Some(code) = Code::new(text) else {
            let message =
                format!("the code `{text}` is not up to {MAX_CODE_LEN} digits and upper-case letters");
            self.problem(at, Some(id), message);
            return None;
        };
        if !spaces.iter().chain(self.known_spaces).any(|space| space.contains(text)) {
            let message = format!(
                "the code `{text}` is in no code space, so that no scan would find it; declare its form at the head of \
                 the file: [[code_space]] with prefix, alphabet and length"
            );
            self.problem(at, Some(id), message);
        } else if text != id {
            let message = format!("an entry with the code `{text}` has that as its id, not `{id}`");
            self.problem(Some(raw.id.span().start), Some(id), message);
        }
        Some(code)
    }

    fn arguments(&mut self, id: &str, raw: Vec<RawArgument>) -> Vec<Argument> {
        let mut arguments: Vec<Argument> = Vec::new();
        for argument in raw {
            let (name, at) = (argument.name.get_ref(), argument.name.span().start);
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || !name.chars().all(word) {
                let message = format!("the argument `{name}` is not lower-case letters, digits and `_`");
                self.problem(Some(at), Some(id), message);
            }
            if arguments.iter().any(|known| &*known.name == name || known.position == argument.position) {
                let message = format!("the argument `{name}` or its position occurs twice");
                self.problem(Some(at), Some(id), message);
            }
            arguments.push(Argument {
                name: name.as_str().into(),
                position: argument.position,
                kind: argument.kind,
                merge: argument.merge,
                subject: argument.subject,
            });
        }
        arguments
    }

    fn templates(&mut self, id: &str, names: &[&str], raw: &[Spanned<String>]) -> Vec<Template> {
        let mut templates: Vec<Template> = Vec::new();
        for text in raw {
            let at = Some(text.span().start);
            if templates.iter().any(|template| &template.text == text.get_ref()) {
                self.problem(at, Some(id), "this text occurs twice in the entry".into());
            }
            match Template::parse(text.get_ref(), names) {
                Ok(template) => templates.push(template),
                Err(error) => self.problem(at, Some(id), error.to_string()),
            }
        }
        templates
    }

    fn check_first_sentence(&mut self, id: &str, wording: &Template, at: usize) {
        if !findable(wording) {
            let message = format!("the first sentence has no word of {MIN_WORD} letters to find it by");
            self.problem(Some(at), Some(id), message);
        }
    }
}

/// Whether the first sentence has something to find the wording by: a word of [`MIN_WORD`] letters outside placeholders.
pub(super) fn findable(wording: &Template) -> bool {
    wording.sentences.first().is_some_and(|sentence| {
        sentence.parts.iter().any(|part| match part {
            TemplatePart::Literal(text) => text
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .any(|word| word.len() >= MIN_WORD),
            TemplatePart::Argument(_) => false,
        })
    })
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    fn entry(extra: &str) -> String {
        format!(
            "format = 1\n\n[[entry]]\nid = \"603999\"\ncode = \"603999\"\ntitle = \"T\"\nseverity = \"error\"\n\
             scope = \"server\"\nside = \"source\"\nactor = \"customer\"\n{extra}\n"
        )
    }

    fn problems(text: &str) -> Vec<String> {
        match crate::catalog::parse("my.toml", text) {
            Ok(_) => Vec::new(),
            Err(error) => error.to_string().lines().map(str::to_string).collect(),
        }
    }

    #[test]
    fn problems_name_file_line_and_entry_all_at_once() {
        let text = entry("wordings = [\"a {b}\", \"it is so\"]\nlinks = []");
        assert_eq!(
            problems(&text),
            [
                "my.toml:11: 603999: placeholder `{b}` is not among the entry's arguments",
                "my.toml:11: 603999: the first sentence has no word of 5 letters to find it by",
            ]
        );
        assert_eq!(
            problems(&entry("wordings = [\"Something happened.\"]\nwording = 3")),
            [
                "my.toml:12: 603999: unknown field `wording`, expected one of `id`, `code`, `title`, `severity`, `scope`, \
                 `side`, `actor`, `restart`, `arguments`, `wordings`, `followups`, `resolutions`, `fix`, `links`, \
                 `examples`, `negatives`"
            ]
        );
        assert_eq!(
            problems("format = 2"),
            ["my.toml:1: format 2 is not known; this program reads 1", "my.toml: no [[entry]]"]
        );
    }

    #[test]
    fn ids_and_codes_are_checked() {
        let text = entry("wordings = [\"Something happened.\"]").replace("id = \"603999\"", "id = \"My Id\"");
        assert_eq!(
            problems(&text),
            [
                "my.toml:4: My Id: the id `My Id` is not lower-case letters, digits and hyphens",
                "my.toml:4: My Id: an entry with the code `603999` has that as its id, not `My Id`",
            ]
        );
        let coded =
            |code: &str| problems(&entry("wordings = [\"Something happened.\"]").replace("603999", code));
        assert_eq!(
            coded("704001"),
            [
                "my.toml:5: 704001: the code `704001` is in no code space, so that no scan would find it; declare its form \
                 at the head of the file: [[code_space]] with prefix, alphabet and length"
            ]
        );
        assert_eq!(
            coded("e-1"),
            ["my.toml:5: e-1: the code `e-1` is not up to 15 digits and upper-case letters"]
        );
        let twice = entry("wordings = [\"Something happened.\"]");
        let twice = format!("{twice}{}", twice.trim_start_matches("format = 1\n"));
        assert_eq!(problems(&twice), ["my.toml:14: 603999: this id occurs twice in the file"]);
    }
}
