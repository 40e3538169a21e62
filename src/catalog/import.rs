//! Pattern files from the published tables of error codes.
//!
//! A Markdown document comes in, the text of a pattern file goes out, with a note for all that was left out or guessed.
//! Tables with a column of codes and one of messages are read: with a column of details, that is the wording and the
//! message its title; without, the message's first sentence is the title and the rest the wording. The tables do not
//! say how bad a condition is or who can mend it, so `severity` is error, `side` source and `restart` false throughout,
//! `scope` is database where an argument names one and else server, `actor` is support where the advice is to contact
//! Microsoft support and else customer.

use super::file::{MAX_TEMPLATE_BYTES, findable};
use super::markdown::{self, Row, Table};
use super::template::split_sentences;
use super::{Actor, ArgValue, Argument, Catalog, Entry, Example, Kind, Lines, Merge, Scope};
use super::{Severity, Side, Subject, Template, render};
use crate::error::{CatalogProblem, Error};
use std::collections::{BTreeMap, HashMap};

/// Names for the placeholders of an entry, by its id, in the order in which they first stand in its texts.
pub type Names = BTreeMap<String, Vec<String>>;

/// What a document gave.
#[derive(Debug)]
pub struct Imported {
    /// The pattern file.
    pub text: String,
    /// The same, parsed.
    pub catalog: Catalog,
    /// How many rows were read.
    pub rows: usize,
    /// What was left out or guessed, with its line in the document.
    pub notes: Vec<CatalogProblem>,
}

/// Makes a pattern file of the tables in `text`, a document called `file`. Placeholders get the names that `names`
/// gives, else those that `known` has for the code and position, else their own.
///
/// # Errors
///
/// [`Error::Catalog`], when the document has no such table or `names` no valid names.
pub fn import(file: &str, text: &str, names: &Names, known: &Catalog) -> Result<Imported, Error> {
    let mut import = Import { file, names, known, drafts: Vec::new(), notes: Vec::new() };
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
    let text = render::pattern_file(file, &edition(text), &entries);
    let catalog = super::parse(file, &text)?;
    Ok(Imported { text, catalog, rows, notes: import.notes })
}

/// The edition by the document's own date (`ms.date: 05/07/2024`), or nothing.
fn edition(text: &str) -> String {
    let date = text.lines().take(40).find_map(|line| line.strip_prefix("ms.date:"));
    let parts: Vec<&str> = date.unwrap_or_default().trim().trim_matches(['"', '\'']).split('/').collect();
    let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts[..] {
        [month, _, year] if digits(month, 2) && digits(year, 4) => format!("{year}-{month}"),
        _ => String::new(),
    }
}

/// Where the columns of a table are.
struct Columns {
    code: usize,
    message: usize,
    details: Option<usize>,
    resolution: Option<usize>,
}

impl Columns {
    /// The columns by the head's words, whatever their case; none where it is no table of error codes.
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

/// All rows of one entry, as the tables have them.
struct Draft {
    id: String,
    code: Option<String>,
    title: String,
    line: usize,
    wordings: Vec<Raw>,
    resolutions: Vec<Raw>,
}

/// A text of the table with its line.
#[derive(Clone)]
struct Raw {
    line: usize,
    text: String,
}

struct Import<'a> {
    file: &'a str,
    names: &'a Names,
    known: &'a Catalog,
    drafts: Vec<Draft>,
    notes: Vec<CatalogProblem>,
}

impl Import<'_> {
    fn note(&mut self, line: Option<usize>, entry: Option<&str>, message: String) {
        let (file, entry) = (self.file.to_string(), entry.map(str::to_string));
        self.notes.push(CatalogProblem { file, line, entry, message });
    }

    /// Takes the rows of a table in; how many they are.
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

    fn row(&mut self, columns: &Columns, row: &Row) {
        let cell = |column: usize| given(row.cells.get(column).map_or("", String::as_str));
        let code = cell(columns.code).trim_matches(['`', '*', ' ']);
        let message = cell(columns.message);
        let details = columns.details.map_or("", cell);
        let (title, wording) = if details.is_empty() { headed(message) } else { (message, details) };
        // Details without a title are headed as a message is.
        let (title, wording) = if title.is_empty() { headed(wording) } else { (title, wording) };
        let slug = slug(title);
        if title.is_empty() || code.is_empty() && slug.is_empty() {
            return self.note(Some(row.line), None, "a row without code or title is left out".into());
        }
        let valid = code.is_empty() || code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        if !valid {
            return self.note(
                Some(row.line),
                None,
                format!("the code `{code}` is not six digits; the row is left out"),
            );
        }
        // A condition without a code keeps the id it goes by, so that it replaces the known entry.
        let namesake = |entry: &&std::sync::Arc<Entry>| entry.code.is_none() && *entry.title == *title;
        let known = self.known.entries.iter().find(namesake).map_or(&*slug, |entry| &*entry.id);
        let id = if code.is_empty() { known } else { code }.to_string();
        let code = Some(code.to_string()).filter(|code| !code.is_empty());
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
                texts.push(Raw { line: row.line, text: text.to_string() });
            }
        }
        if other_title {
            let message = format!("the title `{title}` differs from that of an earlier row, which is kept");
            self.note(Some(row.line), Some(&id), message);
        }
    }

    /// The entry of a draft, if anything can be found of it.
    fn entry(&mut self, draft: &Draft) -> Option<Entry> {
        let mut arguments = self.arguments(draft);
        let names: Vec<String> = arguments.iter().map(|(_, argument)| argument.name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut wordings: Vec<Template> = Vec::new();
        for raw in &draft.wordings {
            match template(&raw.text, &arguments, &names) {
                Ok(template) if !findable(&template) => {
                    let message =
                        "a wording whose first sentence has no word to find it by is left out".into();
                    self.note(Some(raw.line), Some(&draft.id), message);
                }
                Ok(template) if wordings.iter().any(|known| known.text == template.text) => {}
                Ok(template) => wordings.push(template),
                Err(message) => {
                    let message = format!("a wording is left out: {message}");
                    self.note(Some(raw.line), Some(&draft.id), message);
                }
            }
        }
        let mut resolutions: Vec<Template> = Vec::new();
        for raw in &draft.resolutions {
            match template(&raw.text, &arguments, &names) {
                Ok(template) if resolutions.iter().any(|known| known.text == template.text) => {}
                Ok(template) => resolutions.push(template),
                Err(message) => {
                    let message = format!("a resolution is left out: {message}");
                    self.note(Some(raw.line), Some(&draft.id), message);
                }
            }
        }
        if draft.code.is_none() && wordings.is_empty() {
            self.note(Some(draft.line), Some(&draft.id), "neither a code nor a wording; left out".into());
            return None;
        }
        let used = used(&wordings, &resolutions);
        let kept: Vec<&str> =
            names.iter().enumerate().filter(|(i, _)| used.contains(i)).map(|(_, name)| *name).collect();
        // Indices change with what is kept, so the templates are read again.
        let again = |templates: Vec<Template>| -> Vec<Template> {
            templates.iter().filter_map(|template| Template::parse(&template.text, &kept).ok()).collect()
        };
        let (wordings, resolutions) = (again(wordings), again(resolutions));
        arguments.retain(|(_, argument)| kept.contains(&&*argument.name));
        arguments.dedup_by(|a, b| a.1.name == b.1.name);
        let arguments = arguments.into_iter().map(|(_, argument)| argument).collect();
        Some(finished(draft, arguments, wordings, resolutions))
    }

    /// The placeholders of the draft as they stand there, each with its argument, in the order of positions.
    fn arguments(&self, draft: &Draft) -> Vec<(String, Argument)> {
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
        let mut arguments: Vec<(String, Argument)> = Vec::new();
        for (i, raw) in raws.iter().enumerate() {
            let position = raw.parse().ok().or_else(|| free.next()).unwrap_or_default();
            let namesake = known.iter().find(|argument| argument.position == position);
            let own = match raw.parse::<u32>() {
                Ok(number) => namesake.map_or_else(|| format!("arg{number}"), |known| known.name.to_string()),
                Err(_) => snake(raw),
            };
            let name = self.names.get(&draft.id).and_then(|names| names.get(i).cloned()).unwrap_or(own);
            // Two spellings of one name are one argument.
            if let Some((_, same)) = arguments.iter().find(|(_, argument)| *argument.name == *name) {
                let same = same.clone();
                arguments.push((raw.to_string(), same));
                continue;
            }
            let kind = namesake.map_or_else(|| guessed(&name), |known| known.kind);
            let merge = namesake.map_or(Merge::Union, |known| known.merge);
            let subject = namesake.map_or_else(|| named(&name), |known| known.subject);
            arguments.push((raw.to_string(), Argument { name: name.into(), position, kind, merge, subject }));
        }
        arguments.sort_by_key(|(_, argument)| argument.position);
        arguments
    }
}

/// The arguments, by index, that the texts name.
fn used(wordings: &[Template], resolutions: &[Template]) -> Vec<usize> {
    wordings.iter().chain(resolutions).flat_map(Template::arguments).collect()
}

/// The entry with what follows from its texts.
fn finished(
    draft: &Draft,
    arguments: Vec<Argument>,
    wordings: Vec<Template>,
    resolutions: Vec<Template>,
) -> Entry {
    let is_database =
        |argument: &Argument| matches!(&*argument.name, "database" | "db_name" | "database_name");
    let support = |advice: &Template| advice.text.to_lowercase().contains("contact microsoft support");
    Entry {
        id: draft.id.as_str().into(),
        code: draft.code.as_deref().map(Into::into),
        title: draft.title.as_str().into(),
        severity: Severity::Error,
        scope: if arguments.iter().any(is_database) { Scope::Database } else { Scope::Server },
        side: Side::Source,
        actor: if resolutions.iter().any(support) { Actor::Support } else { Actor::Customer },
        restart: false,
        followups: followups(&arguments, &wordings, &resolutions),
        fix: None,
        links: links(draft),
        examples: examples(draft, &arguments, &wordings),
        negatives: negatives(draft),
        lines: Lines::default(),
        arguments,
        wordings,
        resolutions,
    }
}

/// Sentences of the advice that name what no wording names: the service fills them in and logs them.
fn followups(arguments: &[Argument], wordings: &[Template], resolutions: &[Template]) -> Vec<Template> {
    let names: Vec<&str> = arguments.iter().map(|argument| &*argument.name).collect();
    let said = used(wordings, &[]);
    let mut found: Vec<Template> = Vec::new();
    for sentence in resolutions.iter().flat_map(Template::sentence_texts) {
        let Ok(sentence) = Template::parse(sentence, &names) else { continue };
        let own = sentence.arguments();
        let new = !own.is_empty() && own.iter().all(|index| !said.contains(index));
        if new && findable(&sentence) && !found.contains(&sentence) {
            found.push(sentence);
        }
    }
    found
}

/// Each wording with believable values; where there is none, code and title.
fn examples(draft: &Draft, arguments: &[Argument], wordings: &[Template]) -> Vec<Example> {
    let example = |wording: &Template| {
        let mut args: HashMap<String, ArgValue> = HashMap::new();
        let text = Template::fill(&wording.text, |name| {
            let kind =
                arguments.iter().find(|known| &*known.name == name).map_or(Kind::Text, |known| known.kind);
            let taken = args.len();
            let value = args.entry(name.to_string()).or_insert_with(|| believable(name, kind, taken));
            value.to_string()
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

/// A title alone is no finding, unless the table repeats it as the message.
fn negatives(draft: &Draft) -> Vec<String> {
    let repeated = draft.wordings.iter().any(|wording| wording.text.starts_with(&draft.title));
    if repeated { Vec::new() } else { vec![draft.title.clone()] }
}

/// A value as logs have it; `taken` values of the same text come before it.
fn believable(name: &str, kind: Kind, taken: usize) -> ArgValue {
    let one = |value: &str| ArgValue::One(value.to_string());
    match kind {
        Kind::List => ArgValue::Many(vec!["postgis".into(), "pg_cron".into()]),
        Kind::Number => one("12"),
        Kind::Version => one("9.6"),
        Kind::Word => one("replica"),
        Kind::Text => {
            const TEXTS: [(&str, &str); 8] = [
                ("server", "src"),
                ("host", "src"),
                ("database", "orders"),
                ("db", "orders"),
                ("user", "migadmin"),
                ("role", "app_rw"),
                ("table", "public.items"),
                ("column", "name"),
            ];
            let text = TEXTS.iter().find(|(word, _)| name.contains(word)).map_or("sample", |(_, text)| text);
            ArgValue::One(format!("{text}-{}", taken + 1))
        }
    }
}

/// Every distinct address of the draft's texts, in their order.
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

/// A cell's content, or nothing where it says that there is none.
fn given(cell: &str) -> &str {
    let none = ["n/a", "na", "none", "-", "–", "—"];
    if none.contains(&cell.trim_end_matches('.').to_lowercase().as_str()) { "" } else { cell }
}

/// A message cell: its first sentence is the title, the rest the wording.
fn headed(message: &str) -> (&str, &str) {
    let first = split_sentences(message).first().map_or(0, |first| first.len());
    (message[..first].trim(), message[first..].trim())
}

/// Lower-case words joined by hyphens.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// The name of a placeholder, without its braces: a number, or words of letters, digits, `_`, `-` and blanks.
fn is_name(inner: &str) -> bool {
    let number = !inner.is_empty() && inner.len() <= 3 && inner.bytes().all(|byte| byte.is_ascii_digit());
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
    let words = inner.len() <= 40
        && inner.trim().starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && inner.chars().all(allowed);
    number || words
}

/// Cuts at placeholders: the text before each and its name, then the rest with no name.
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

/// The text as a template: placeholders renamed, other braces doubled.
fn template(text: &str, arguments: &[(String, Argument)], names: &[&str]) -> Result<Template, String> {
    let mut named = String::with_capacity(text.len() + 16);
    for (before, raw) in pieces(text) {
        named.push_str(&before.replace('{', "{{").replace('}', "}}"));
        if let Some((_, argument)) = arguments.iter().find(|(known, _)| Some(known.as_str()) == raw) {
            named.push_str(&format!("{{{}}}", argument.name));
        }
    }
    if named.len() > MAX_TEMPLATE_BYTES {
        return Err(format!("longer than {MAX_TEMPLATE_BYTES} bytes"));
    }
    Template::parse(&named, names)
}

/// `serverName` as `server_name`.
fn snake(raw: &str) -> String {
    let mut name = String::with_capacity(raw.len() + 4);
    let characters: Vec<char> = raw.trim().chars().collect();
    for (i, c) in characters.iter().enumerate() {
        let before = i.checked_sub(1).map(|i| characters[i]);
        let starts = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            || before.is_some_and(|b| b.is_ascii_uppercase())
                && characters.get(i + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && starts {
            name.push('_');
        }
        let word = c.is_ascii_alphanumeric() || *c == '_';
        name.push(if word { c.to_ascii_lowercase() } else { '_' });
    }
    name
}

/// What values look like by the argument's name: a plural of things is a list, all else any text.
fn guessed(name: &str) -> Kind {
    let list = ["names", "extensions", "roles", "languages", "users", "databases", "tables"];
    if list.iter().any(|plural| name.ends_with(plural)) { Kind::List } else { Kind::Text }
}

/// What values name by the argument's name.
fn named(name: &str) -> Option<Subject> {
    let last = name.rsplit('_').next().unwrap_or(name);
    match last.strip_suffix('s').unwrap_or(last) {
        "server" | "host" => Some(Subject::Server),
        "database" => Some(Subject::Database),
        "role" | "user" => Some(Subject::Role),
        "table" => Some(Subject::Table),
        "column" => Some(Subject::Column),
        _ => None,
    }
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
        assert_eq!(texts(&entry("disk-full").wordings), ["The disk of {host} is almost exhausted."]);
    }

    #[test]
    fn what_is_left_out_is_noted() {
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
                "t.md:8: the code `E-1` is not six digits; the row is left out",
                "t.md:9: more cells than the head has; is a `|` not written as `\\|`?",
                "t.md:11: 603998: the title `U.` differs from that of an earlier row, which is kept",
                "t.md:7: 603998: a wording whose first sentence has no word to find it by is left out",
                "t.md:9: 603997: a wording is left out: placeholder `{arg1}` follows another with nothing between",
                "t.md:10: title-only: neither a code nor a wording; left out",
                "t.md: 603111: names are given for this entry, which no table has",
            ]
        );
        let none = import("t.md", "no table", &Names::new(), builtin()).expect_err("nothing");
        assert_eq!(none.to_string(), "t.md: no table with error codes and messages");
        let bad = Names::from([("603997".to_string(), vec!["My Name".to_string()])]);
        let table = format!("{HEAD}| 603997 | T. | Value {{0}} happened. | |\n");
        assert!(import("t.md", &table, &bad, builtin()).is_err());
    }

    #[test]
    fn placeholders_get_names() {
        let cases =
            [("serverName", "server_name"), ("DBName", "db_name"), ("db-name", "db_name"), ("X", "x")];
        for (raw, name) in cases {
            assert_eq!(snake(raw), name);
        }
        assert_eq!(placeholders("{0} {{1} {a: 1} {} {roleNames} { x"), ["0", "1", "roleNames"]);
        let rows = "| 603104 | T. | User `{0}` is unknown on {1}. | |\n";
        assert_eq!(
            texts(&imported(&format!("{HEAD}{rows}"), &[]).catalog.entries[0].wordings),
            ["User `{user}` is unknown on {server}."]
        );
    }
}
