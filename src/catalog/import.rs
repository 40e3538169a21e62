//! Pattern files from the published tables of error codes.
//!
//! A Markdown document comes in, the text of a pattern file goes out, with a note for everything that was left out. The
//! vendor publishes its codes as pipe tables of two shapes:
//!
//! ```text
//! | Code   | Message                            | Details                               | Resolution |
//! | 603101 | Database exists in target          | Database `{0}` exists on the target…  |            |
//!
//! | Code   | Message                                                                    | Resolution |
//! | 603101 | Database exists in target. Database `{0}` exists on the target…            |            |
//! ```
//!
//! With a column of details, these are the wording and the message is the title. Without, the message's first sentence
//! is the title and the rest is the wording. Then:
//!
//! 1. `Importer::row` collects the rows of each code (or title, where there is no code) in a `Draft`, since the
//!    tables repeat a code for each further wording or advice.
//! 2. `Importer::arguments` names the placeholders. `{0}` gets the name that the known catalogue has for the code and
//!    position, so that an import of a new edition keeps the names that reports and baselines use; `{serverName}` is
//!    its own name. All other braces are text.
//! 3. `build_entry` adds what the tables do not say: `severity` is error, `side` source and `restart` false throughout;
//!    `scope` is database where an argument names one, else server; `actor` is support where the advice is to contact
//!    the vendor's support, else customer. Kinds and subjects are those of the known argument, else guesses.
//!
//! The result is written by `render` and parsed again, so that what is returned is what the file will be read as.

mod guess;

use super::file::findable;
use super::markdown::{self, Row, Table};
use super::{
    Actor, Argument, Catalog, Code, CodeSpace, Entry, EntryLines, Example, MAX_CODE_LEN, Merge, Scope,
    Severity, Side, Subject, Template, TemplateError, ValueKind, Vendor, render,
};
use crate::error::{CatalogProblem, Error};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Names for the placeholders of an entry, by its id, in the order in which they first occur in its texts.
pub type PlaceholderNames = BTreeMap<String, Vec<String>>;

/// A pattern file made from a document.
#[derive(Debug)]
pub struct Imported {
    /// The pattern file.
    pub text: String,
    /// The same file, parsed.
    pub catalog: Catalog,
    /// How many rows were read.
    pub rows: usize,
    /// What was left out, with its line in the document.
    pub notes: Vec<CatalogProblem>,
}

/// Makes a pattern file of the tables in `text`, a document called `file`. Placeholders get the names in `names`, else
/// those that `known` has for the code and position, else their own. The vendor is that of `known`.
///
/// # Errors
///
/// [`Error::Catalog`] if the document has no such table or `names` no valid names.
pub fn import(file: &str, text: &str, names: &PlaceholderNames, known: &Catalog) -> Result<Imported, Error> {
    let vendor = known.entries.first().map(|entry| entry.vendor.clone()).unwrap_or_default();
    let mut import = Importer { file, names, known, vendor, drafts: Vec::new(), notes: Vec::new() };
    let mut rows = 0;
    for table in markdown::tables(text.trim_start_matches('\u{feff}')) {
        rows += import.table(&table);
    }
    let drafts = std::mem::take(&mut import.drafts);
    let entries: Vec<Entry> = drafts.iter().filter_map(|draft| import.entry(draft)).collect();
    if entries.is_empty() {
        import.note(None, None, "no table with error codes and messages".into());
        return Err(Error::Catalog(import.notes));
    }
    for id in names.keys().filter(|id| entries.iter().all(|entry| *entry.id != ***id)) {
        import.note(None, Some(id), "names are given for this entry, which no table has".into());
    }
    let spaces = import.code_spaces(&entries);
    let text = render::pattern_file(file, &edition(text), &import.vendor, &spaces, &entries);
    let catalog = super::parse(file, &text)?;
    Ok(Imported { text, catalog, rows, notes: import.notes })
}

/// Reads the edition from the document's own date (`ms.date: 05/07/2024`); empty where there is none.
fn edition(text: &str) -> String {
    let date = text.lines().take(40).find_map(|line| line.strip_prefix("ms.date:"));
    let parts: Vec<&str> = date.unwrap_or_default().trim().trim_matches(['"', '\'']).split('/').collect();
    let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts[..] {
        [month, _, year] if digits(month, 2) && digits(year, 4) => format!("{year}-{month}"),
        _ => String::new(),
    }
}

/// The numbers of a table's columns.
struct Columns {
    code: usize,
    message: usize,
    details: Option<usize>,
    resolution: Option<usize>,
}

impl Columns {
    /// Finds the columns by the words of the head, ignoring case; none where it is no table of error codes.
    fn of(head: &[String]) -> Option<Columns> {
        let heads: Vec<String> = head.iter().map(|cell| cell.to_lowercase()).collect();
        let column =
            |words: &[&str]| heads.iter().position(|head| words.iter().any(|word| head.contains(word)));
        Some(Columns {
            code: column(&["code"])?,
            message: column(&["message"])?,
            details: column(&["detail", "description"]),
            resolution: column(&["resolution"]),
        })
    }
}

/// All rows of one entry, with their texts as the tables have them.
struct Draft {
    id: String,
    code: Option<Code>,
    title: String,
    line: usize,
    wordings: Vec<RawText>,
    resolutions: Vec<RawText>,
}

/// A text of the table with its line.
#[derive(Clone)]
struct RawText {
    line: usize,
    text: String,
}

struct Importer<'a> {
    file: &'a str,
    names: &'a PlaceholderNames,
    known: &'a Catalog,
    vendor: Arc<Vendor>,
    drafts: Vec<Draft>,
    notes: Vec<CatalogProblem>,
}

impl Importer<'_> {
    fn note(&mut self, line: Option<usize>, entry: Option<&str>, message: String) {
        let (file, entry) = (self.file.to_string(), entry.map(str::to_string));
        self.notes.push(CatalogProblem { file, line, entry, message });
    }

    /// Adds the rows of a table to the drafts; returns their number.
    fn table(&mut self, table: &Table) -> usize {
        let Some(columns) = Columns::of(&table.head) else {
            let message = format!(
                "a table of {} columns without codes and messages is skipped (rows: {})",
                table.head.len(),
                table.rows.len()
            );
            self.note(Some(table.line), None, message);
            return 0;
        };
        for row in &table.rows {
            if row.cells.len() > table.head.len() {
                let message = "more cells than the head has; is a `|` not written as `\\|`?".to_string();
                self.note(Some(row.line), None, message);
            }
            self.row(&columns, row);
        }
        table.rows.len()
    }

    /// Returns the code spaces of the entries: those that are known, and for other codes what they look like.
    fn code_spaces(&mut self, entries: &[Entry]) -> Vec<CodeSpace> {
        let codes: Vec<Code> = entries.iter().filter_map(|entry| entry.code).collect();
        let (known, unknown): (Vec<Code>, Vec<Code>) =
            codes.into_iter().partition(|code| self.known.is_code(code));
        let is_used = |space: &&CodeSpace| known.iter().any(|code| space.contains(&**code));
        let mut spaces: Vec<CodeSpace> = self.known.code_spaces.iter().filter(is_used).cloned().collect();
        for space in guess::code_spaces(&unknown) {
            let message = format!("codes are assumed to be {space}; check [[code_space]]");
            self.note(None, None, message);
            spaces.push(space);
        }
        spaces
    }

    /// Adds a row to the draft of its code or title.
    fn row(&mut self, columns: &Columns, row: &Row) {
        let cell = |column: usize| content(row.cells.get(column).map_or("", String::as_str));
        let code = cell(columns.code).trim_matches(['`', '*', ' ']);
        let message = cell(columns.message);
        let details = columns.details.map_or("", cell);
        let (title, wording) =
            if details.is_empty() { guess::title_and_wording(message) } else { (message, details) };
        // Details without a title have it as their first sentence, as messages do.
        let (title, wording) =
            if title.is_empty() { guess::title_and_wording(wording) } else { (title, wording) };
        let slug = guess::slug(title);
        if title.is_empty() || code.is_empty() && slug.is_empty() {
            return self.note(Some(row.line), None, "a row without code or title is left out".into());
        }
        if !code.is_empty() && !self.known.is_code(code) && !guess::may_be_code(code) {
            let message = format!(
                "the code `{code}` is not {} to {MAX_CODE_LEN} digits and upper-case letters; the row is left out",
                guess::MIN_CODE_LEN
            );
            return self.note(Some(row.line), None, message);
        }
        // A condition without a code keeps the id of the known entry with its title, so that it replaces that entry.
        let namesake = |entry: &&Arc<Entry>| entry.code.is_none() && *entry.title == *title;
        let known = self.known.entries.iter().find(namesake).map_or(&*slug, |entry| &*entry.id);
        let id = if code.is_empty() { known } else { code }.to_string();
        let code = Code::new(code);
        let place = self.drafts.iter().position(|draft| draft.id == id).unwrap_or_else(|| {
            let (id, title) = (id.clone(), title.to_string());
            let (wordings, resolutions) = (Vec::new(), Vec::new());
            self.drafts.push(Draft { id, code, title, line: row.line, wordings, resolutions });
            self.drafts.len() - 1
        });
        let draft = &mut self.drafts[place];
        let other_title = draft.title != title;
        let resolution = columns.resolution.map_or("", cell);
        for (texts, text) in [(&mut draft.wordings, wording), (&mut draft.resolutions, resolution)] {
            if !text.is_empty() && texts.iter().all(|known| known.text != text) {
                texts.push(RawText { line: row.line, text: text.to_string() });
            }
        }
        if other_title {
            let message = format!("the title `{title}` differs from that of an earlier row, which is kept");
            self.note(Some(row.line), Some(&id), message);
        }
    }

    /// Makes the entry of a draft; none where there is nothing to find it by.
    fn entry(&mut self, draft: &Draft) -> Option<Entry> {
        let mut arguments = self.arguments(draft);
        let wordings = self.templates(draft, TextRole::Wording, &arguments);
        let resolutions = self.templates(draft, TextRole::Resolution, &arguments);
        if draft.code.is_none() && wordings.is_empty() {
            self.note(Some(draft.line), Some(&draft.id), "neither a code nor a wording; left out".into());
            return None;
        }
        let names: Vec<Arc<str>> = arguments.iter().map(|(_, argument)| argument.name.clone()).collect();
        let used = used_arguments(&wordings, &resolutions);
        let kept: Vec<&str> =
            names.iter().enumerate().filter(|(i, _)| used.contains(i)).map(|(_, name)| &**name).collect();
        // Placeholders are indices, which change with the arguments that are kept.
        let reparse = |templates: Vec<Template>| -> Vec<Template> {
            templates.iter().filter_map(|template| Template::parse(&template.text, &kept).ok()).collect()
        };
        let (wordings, resolutions) = (reparse(wordings), reparse(resolutions));
        arguments.retain(|(_, argument)| kept.contains(&&*argument.name));
        arguments.dedup_by(|a, b| a.1.name == b.1.name);
        let arguments = arguments.into_iter().map(|(_, argument)| argument).collect();
        Some(build_entry(draft, &self.vendor, arguments, wordings, resolutions))
    }

    /// Parses the draft's texts of one role, each distinct one once; what cannot be used is noted.
    fn templates(&mut self, draft: &Draft, role: TextRole, arguments: &[NamedPlaceholder]) -> Vec<Template> {
        let mut templates: Vec<Template> = Vec::new();
        let (texts, what) = match role {
            TextRole::Wording => (&draft.wordings, "wording"),
            TextRole::Resolution => (&draft.resolutions, "resolution"),
        };
        for raw in texts {
            let message = match template(&raw.text, arguments) {
                Ok(template) if role == TextRole::Wording && !findable(&template) => {
                    "a wording whose first sentence has no word to find it by is left out".into()
                }
                Ok(template) => {
                    if templates.iter().all(|known| known.text != template.text) {
                        templates.push(template);
                    }
                    continue;
                }
                Err(error) => format!("a {what} is left out: {error}"),
            };
            self.note(Some(raw.line), Some(&draft.id), message);
        }
        templates
    }

    /// Returns the placeholders of the draft with their arguments, in the order of positions.
    fn arguments(&self, draft: &Draft) -> Vec<NamedPlaceholder> {
        let mut raws: Vec<&str> = Vec::new();
        for text in draft.wordings.iter().chain(&draft.resolutions) {
            for raw in placeholders(&text.text) {
                if !raws.contains(&raw) {
                    raws.push(raw);
                }
            }
        }
        let known = self.known.entry(&draft.id).map_or(&[][..], |entry| &entry.arguments);
        let numbers: Vec<u32> = raws.iter().filter_map(|raw| raw.parse().ok()).collect();
        let mut free = (0..).filter(|position| !numbers.contains(position));
        let mut arguments: Vec<NamedPlaceholder> = Vec::new();
        for (i, raw) in raws.iter().enumerate() {
            let position = raw.parse().ok().or_else(|| free.next()).unwrap_or_default();
            let namesake = known.iter().find(|argument| argument.position == position);
            let own = match raw.parse::<u32>() {
                Ok(number) => namesake.map_or_else(|| format!("arg{number}"), |known| known.name.to_string()),
                Err(_) => guess::snake_case(raw),
            };
            let name = self.names.get(&draft.id).and_then(|names| names.get(i).cloned()).unwrap_or(own);
            // Two spellings of one name are one argument.
            if let Some((_, same)) = arguments.iter().find(|(_, argument)| *argument.name == *name) {
                let same = same.clone();
                arguments.push((raw.to_string(), same));
                continue;
            }
            let kind = namesake.map_or_else(|| guess::kind(&name), |known| known.kind);
            let merge = namesake.map_or(Merge::Union, |known| known.merge);
            let subject = namesake.map_or_else(|| guess::subject(&name), |known| known.subject);
            arguments.push((raw.to_string(), Argument { name: name.into(), position, kind, merge, subject }));
        }
        arguments.sort_by_key(|(_, argument)| argument.position);
        arguments
    }
}

/// A placeholder as the table spells it, with its argument.
type NamedPlaceholder = (String, Argument);

/// The role of a text in an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextRole {
    Wording,
    Resolution,
}

/// Returns the indices of the arguments that the texts name.
fn used_arguments(wordings: &[Template], resolutions: &[Template]) -> Vec<usize> {
    wordings.iter().chain(resolutions).flat_map(Template::arguments).collect()
}

/// Makes the entry of a draft, with what follows from its texts.
fn build_entry(
    draft: &Draft,
    vendor: &Arc<Vendor>,
    arguments: Vec<Argument>,
    wordings: Vec<Template>,
    resolutions: Vec<Template>,
) -> Entry {
    let one_database =
        |argument: &Argument| argument.subject == Some(Subject::Database) && argument.kind != ValueKind::List;
    let contact = format!("contact {}", vendor.support.to_lowercase());
    let support = |advice: &Template| advice.text.to_lowercase().contains(&contact);
    Entry {
        id: draft.id.as_str().into(),
        code: draft.code,
        title: draft.title.as_str().into(),
        severity: Severity::Error,
        scope: if arguments.iter().any(one_database) { Scope::Database } else { Scope::Server },
        side: Side::Source,
        actor: if resolutions.iter().any(support) { Actor::Support } else { Actor::Customer },
        restart: false,
        followups: followups(&arguments, &wordings, &resolutions),
        fix: None,
        links: links(draft),
        examples: examples(draft, &arguments, &wordings),
        negatives: negatives(draft),
        vendor: vendor.clone(),
        lines: EntryLines::default(),
        arguments,
        wordings,
        resolutions,
    }
}

/// Returns the sentences of the advice that name what no wording names: the service fills them in and logs them.
fn followups(arguments: &[Argument], wordings: &[Template], resolutions: &[Template]) -> Vec<Template> {
    let names: Vec<&str> = arguments.iter().map(|argument| &*argument.name).collect();
    let in_wordings = used_arguments(wordings, &[]);
    let mut found: Vec<Template> = Vec::new();
    for sentence in resolutions.iter().flat_map(Template::sentence_texts) {
        let Ok(sentence) = Template::parse(sentence, &names) else { continue };
        let own = sentence.arguments();
        let new = !own.is_empty() && own.iter().all(|index| !in_wordings.contains(index));
        if new && findable(&sentence) && !found.contains(&sentence) {
            found.push(sentence);
        }
    }
    found
}

/// Makes an example of each wording; where there is none, of code and title.
fn examples(draft: &Draft, arguments: &[Argument], wordings: &[Template]) -> Vec<Example> {
    let example = |wording: &Template| {
        let mut args = HashMap::new();
        let text = Template::fill(&wording.text, |name| {
            let known = arguments.iter().find(|known| &*known.name == name);
            let kind = known.map_or(ValueKind::Text, |known| known.kind);
            let number = args.len() + 1;
            let value = args.entry(name.to_string());
            value.or_insert_with(|| guess::sample_value(name, kind, number)).to_string()
        });
        Example { text, args }
    };
    match (&draft.code, wordings) {
        (Some(code), []) => {
            vec![Example { text: format!("Error {code}: {}", draft.title), args: HashMap::new() }]
        }
        _ => wordings.iter().map(example).collect(),
    }
}

/// Makes a negative of the title, which alone is no finding, unless the table repeats it as the message.
fn negatives(draft: &Draft) -> Vec<String> {
    let repeated = draft.wordings.iter().any(|wording| wording.text.starts_with(&draft.title));
    if repeated { Vec::new() } else { vec![draft.title.clone()] }
}

/// Returns every distinct URL of the draft's texts, in their order.
fn links(draft: &Draft) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for raw in draft.wordings.iter().chain(&draft.resolutions) {
        for (at, _) in raw.text.match_indices("http") {
            let rest = &raw.text[at..];
            let end =
                rest.find(|c: char| c.is_whitespace() || "()[]<>\"`'".contains(c)).unwrap_or(rest.len());
            let link = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '*']);
            let address = link.starts_with("https://") || link.starts_with("http://");
            if address && links.iter().all(|known| known != link) {
                links.push(link.to_string());
            }
        }
    }
    links
}

/// Returns a cell's text; empty where the cell only says that there is none.
fn content(cell: &str) -> &str {
    let none = ["n/a", "na", "none", "-", "–", "—"];
    if none.contains(&cell.trim_end_matches('.').to_lowercase().as_str()) { "" } else { cell }
}

/// Whether the text in braces is a placeholder's name: a number, or words of letters, digits, `_`, `-` and blanks.
fn is_name(inner: &str) -> bool {
    let number = !inner.is_empty() && inner.len() <= 3 && inner.bytes().all(|byte| byte.is_ascii_digit());
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let words = inner.len() <= 40
        && inner.trim().starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && inner.chars().all(allowed);
    number || words
}

/// Splits a text at its placeholders: the text before each with its name, then the rest with no name.
fn pieces(text: &str) -> Vec<(&str, Option<&str>)> {
    let mut pieces = Vec::new();
    let (mut start, mut from) = (0, 0);
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        from = open + 1;
        let Some(close) = text[from..].find(['{', '}']).map(|at| from + at) else { break };
        let inner = &text[from..close];
        if text[close..].starts_with('}') && is_name(inner) {
            pieces.push((&text[start..open], Some(inner)));
            (start, from) = (close + 1, close + 1);
        }
    }
    pieces.push((&text[start..], None));
    pieces
}

fn placeholders(text: &str) -> Vec<&str> {
    pieces(text).into_iter().filter_map(|(_, name)| name).collect()
}

/// Parses a table's text as a template: placeholders renamed, other braces doubled.
fn template(text: &str, arguments: &[NamedPlaceholder]) -> Result<Template, TemplateError> {
    let mut renamed = String::with_capacity(text.len() + 16);
    for (before, raw) in pieces(text) {
        renamed.push_str(&before.replace('{', "{{").replace('}', "}}"));
        if let Some((_, argument)) = arguments.iter().find(|(known, _)| Some(known.as_str()) == raw) {
            renamed.push_str(&format!("{{{}}}", argument.name));
        }
    }
    let names: Vec<&str> = arguments.iter().map(|(_, argument)| &*argument.name).collect();
    Template::parse(&renamed, &names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    const HEAD: &str = "| ERRORCODE | error Message | DETAILS | resolution |\n| --- | --- | --- | --- |\n";

    fn imported(text: &str, names: &[(&str, &[&str])]) -> Imported {
        let names = names
            .iter()
            .map(|(id, names)| (id.to_string(), names.iter().map(ToString::to_string).collect()))
            .collect();
        import("t.md", text, &names, builtin()).expect("imports")
    }

    fn texts(templates: &[Template]) -> Vec<&str> {
        templates.iter().map(|template| template.text.as_str()).collect()
    }

    #[test]
    fn rows_of_one_code_are_merged() {
        let rows = "| 603999 | T. | Volume `{0}` is a \\| full {\"disk\"}. | N/A |\n\
                    | 603999 | T. | Volume `{0}` is a \\| full {\"disk\"}. | Do {0}, see https://aka.ms/x. |\n\
                    | 603999 | T. | Volume `{volumeName}` is gone. | [Contact Microsoft support](https://a.b/c). |\n";
        let imported = imported(&format!("ms.date: 05/07/2024\n\n{HEAD}{rows}"), &[]);
        let [entry] = &imported.catalog.entries[..] else { panic!("{}", imported.text) };
        assert_eq!(imported.catalog.edition, "2024-05");
        assert_eq!(
            texts(&entry.wordings),
            ["Volume `{arg0}` is a | full {{\"disk\"}}.", "Volume `{volume_name}` is gone."]
        );
        assert_eq!(
            texts(&entry.resolutions),
            ["Do {arg0}, see https://aka.ms/x.", "[Contact Microsoft support](https://a.b/c)."]
        );
        assert_eq!(entry.links, ["https://aka.ms/x", "https://a.b/c"]);
        assert_eq!(entry.argument_names(), ["arg0", "volume_name"]);
        assert_eq!(
            (entry.actor, entry.scope, entry.severity),
            (Actor::Support, Scope::Server, Severity::Error)
        );
        assert_eq!(entry.examples[0].text, "Volume `sample-1` is a | full {\"disk\"}.");
        assert_eq!((imported.rows, imported.notes.len()), (3, 0));
    }

    #[test]
    fn a_cell_of_three_columns_is_title_and_wording() {
        let text = "| Code | Message | Resolution |\n|---|---|---|\n\
                    | 603709 | Migration setup failed. | N/A |\n\
                    | 603117 | Missing user privileges. Migration user '{0}' lacks necessary privileges to delete the \
                    '{dbName}' database on the target server. Drop it. | |\n\
                    | | Disk full. The disk of {0} is almost exhausted. | |\n";
        let imported = imported(text, &[("disk-full", &["host"])]);
        let entry = |id: &str| imported.catalog.entry(id).expect("there");
        assert_eq!((&*entry("603709").title, entry("603709").wordings.len()), ("Migration setup failed.", 0));
        assert_eq!(entry("603117").argument_names(), ["user", "db_name"]);
        assert_eq!(entry("603117").scope, Scope::Database);
        assert_eq!(entry("603117").subject("db_name"), Some(Subject::Database));
        assert_eq!(entry("603117").vendor, builtin().entries[0].vendor);
        assert_eq!(texts(&entry("disk-full").wordings), ["The disk of {host} is almost exhausted."]);
    }

    #[test]
    fn omissions_are_noted() {
        let rows = "| 603998 | T. | It is so. | |\n| E-1 | T. | Something happened. | |\n\
                    | 603997 | T. | Both {0}{1} happened. | | x |\n|  | Title only | | |\n\
                    | 603998 | U. | Something happened. | N/A |\n";
        let text = format!("| Symptom | Cause |\n|---|---|\n| a | b |\n\n{HEAD}{rows}");
        let notes: Vec<String> =
            imported(&text, &[("603111", &["x"])]).notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "t.md:1: a table of 2 columns without codes and messages is skipped (rows: 1)",
                "t.md:8: the code `E-1` is not 4 to 15 digits and upper-case letters; the row is left out",
                "t.md:9: more cells than the head has; is a `|` not written as `\\|`?",
                "t.md:11: 603998: the title `U.` differs from that of an earlier row, which is kept",
                "t.md:7: 603998: a wording whose first sentence has no word to find it by is left out",
                "t.md:9: 603997: a wording is left out: placeholder `{arg1}` follows another with nothing between",
                "t.md:10: title-only: neither a code nor a wording; left out",
                "t.md: 603111: names are given for this entry, which no table has",
            ]
        );
        let none = import("t.md", "no table", &PlaceholderNames::new(), builtin()).expect_err("nothing");
        assert_eq!(none.to_string(), "t.md: no table with error codes and messages");
        let bad = PlaceholderNames::from([("603997".to_string(), vec!["My Name".to_string()])]);
        let table = format!("{HEAD}| 603997 | T. | Value {{0}} happened. | |\n");
        assert!(import("t.md", &table, &bad, builtin()).is_err());
    }

    #[test]
    fn placeholders_get_names() {
        assert_eq!(placeholders("{0} {{1} {a: 1} {} {roleNames} { x"), ["0", "1", "roleNames"]);
        let rows = "| 603104 | T. | User `{0}` is unknown on {1}. | |\n";
        assert_eq!(
            texts(&imported(&format!("{HEAD}{rows}"), &[]).catalog.entries[0].wordings),
            ["User `{user}` is unknown on {server}."]
        );
    }
}
