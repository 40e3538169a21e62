//! Context: what the surroundings of a match say.
//!
//! A window and a match's range come in; the record's own time and what is known about database, server, migration,
//! validation, state and level go out. JSON is read as JSON (a whole document, or the line), everything else by the
//! head of its line: time, columns, level, `<db>: message`. Nothing is guessed from other records.

mod about;
mod document;
pub mod neighbours;
pub mod time;

pub use about::About;
pub use document::Document;
pub use neighbours::Neighbours;
pub use time::Time;

use crate::input::Window;
use crate::matcher::canonical::{Text, lossy};
use crate::matcher::record;
use jiff::tz::TimeZone;
use memchr::memmem;
use regex::Regex;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// What the surroundings say; absent where they say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Context {
    /// The database it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The server it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The migration's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<String>,
    /// The validation that found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<String>,
    /// The state of that validation, database or migration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The level it was logged at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

impl Context {
    /// Takes from `other` what is not known yet.
    fn fill(&mut self, other: Context) {
        let fill = |mine: &mut Option<String>, theirs: Option<String>| *mine = mine.take().or(theirs);
        fill(&mut self.database, other.database);
        fill(&mut self.server, other.server);
        fill(&mut self.migration, other.migration);
        fill(&mut self.validation, other.validation);
        fill(&mut self.state, other.state);
        fill(&mut self.level, other.level);
    }
}

/// Reads contexts of one window; a whole document is parsed once, and so is a line with many findings.
#[derive(Debug)]
pub struct Reader<'w, 'a> {
    window: &'w Window<'a>,
    zone: &'w TimeZone,
    whole: OnceCell<Option<Document<'a>>>,
    line: RefCell<Option<Line<'a>>>,
}

/// The line read last.
#[derive(Debug)]
struct Line<'a> {
    range: Range<usize>,
    text: Text<'a>,
    /// Where its first object begins.
    open: Option<usize>,
    document: OnceCell<Option<Document<'a>>>,
    /// What its text says of the migration.
    told: OnceCell<Option<About>>,
}

impl<'a> Line<'a> {
    /// The line at `range`.
    fn new(bytes: &'a [u8], range: Range<usize>) -> Line<'a> {
        let raw = &bytes[range.clone()];
        Line {
            text: Text::new(raw, range.start),
            open: memchr::memchr(b'{', raw).map(|open| range.start + open),
            document: OnceCell::new(),
            told: OnceCell::new(),
            range,
        }
    }
}

/// Keys under which records give their time.
const TIME_KEYS: [&str; 7] =
    ["time", "timestamp", "@timestamp", "timegenerated", "eventtimestamp", "ts", "log_time"];

impl<'w, 'a> Reader<'w, 'a> {
    /// A reader for `window`; time stamps without a zone are in `zone`.
    pub fn new(window: &'w Window<'a>, zone: &'w TimeZone) -> Reader<'w, 'a> {
        Reader { window, zone, whole: OnceCell::new(), line: RefCell::new(None) }
    }

    /// The time and context of what stands at `range` in the window.
    pub fn read(&self, range: &Range<usize>) -> (Option<Time>, Context) {
        let bytes = self.window.bytes;
        let mut kept = self.line.borrow_mut();
        let found = match &*kept {
            Some(known) if record::is_line(&known.range, range.start, record::CONTEXT_GRID) => {
                known.range.clone()
            }
            _ => record::context_line(self.window, range.start),
        };
        let line = match kept.take() {
            Some(known) if known.range == found => kept.insert(known),
            _ => kept.insert(Line::new(bytes, found)),
        };
        let before = lossy(&line.text.bytes[..line.text.index_of(range.start)]);
        let document = self.whole.get_or_init(|| self.window.whole.and_then(Document::parse));
        let mut context = Context::default();
        let mut time = None;
        if let Some(document) = document {
            let offset = self.window.base as usize + range.start;
            time = read_document(document, offset, self.zone, &mut context);
        } else if let Some(open) = line.open.filter(|open| *open <= range.start)
            && let Some(document) =
                line.document.get_or_init(|| Document::parse(&bytes[open..line.range.end]))
        {
            time = read_document(document, range.start - open, self.zone, &mut context);
        }
        let json = document.is_some() || time.is_some() || context != Context::default();
        if !json {
            return (read_head(&before, self.zone, &mut context), context);
        }
        // What the message itself says goes before the object around it, and that before the head of its line.
        let mut own = Context::default();
        let logged = read_head(in_string(&before), self.zone, &mut own);
        own.fill(context);
        let mut line = Context::default();
        let outer = before.find('{').and_then(|open| read_head(&before[..open], self.zone, &mut line));
        own.fill(line);
        (logged.or(time).or(outer), own)
    }
}

impl Reader<'_, '_> {
    /// What is known of the migration that the text read last belongs to.
    pub fn about(&self, range: &Range<usize>) -> Option<Arc<About>> {
        let kept = self.line.borrow();
        let line = kept.as_ref().filter(|line| line.range.contains(&range.start))?;
        let about = match (self.whole.get(), line.open.zip(line.document.get())) {
            (Some(Some(document)), _) => document.about(self.window.base as usize + range.start),
            (_, Some((open, Some(document)))) if open <= range.start => document.about(range.start - open),
            _ => None,
        };
        let told = line.told.get_or_init(|| about::line(&line.text.bytes));
        match (told, about) {
            (None, about) => about,
            (Some(told), None) => Some(Arc::new(told.clone())),
            (Some(told), Some(about)) => {
                let mut about = About::clone(&about);
                about.tracking.extend(told.tracking.iter().cloned());
                Some(Arc::new(about))
            }
        }
    }

    /// The unescaped text of what was read last, if all that decides about it stands on its line.
    pub(crate) fn unescaped(&self, range: &Range<usize>) -> Option<Vec<u8>> {
        let line = self.line.borrow();
        let whole = |line: &&Line<'_>| record::is_line(&line.range, range.start, record::GRID);
        let line = line.as_ref().filter(|line| whole(line) && range.end <= line.range.end)?;
        Some(line.text.slice(range).to_vec())
    }
}

/// What the objects around `offset` say.
fn read_document(
    document: &Document<'_>,
    offset: usize,
    zone: &TimeZone,
    context: &mut Context,
) -> Option<Time> {
    let mut stamp = None;
    let mut inner: Option<&str> = None;
    for level in document.around(offset) {
        let fill = |slot: &mut Option<String>, keys: &[&str]| {
            if slot.is_none() {
                *slot = level.get(keys).filter(|value| !value.is_empty()).map(Cow::into_owned);
            }
        };
        fill(&mut context.database, &["databaseName", "database", "dbName", "db"]);
        if level.name == Some("dbDetails") && context.database.is_none() {
            context.database = inner.map(str::to_string);
        }
        inner = level.name;
        fill(&mut context.server, &["serverName", "LogicalServerName", "server"]);
        fill(&mut context.migration, &["migrationId"]);
        fill(&mut context.state, &["state", "migrationState", "status"]);
        fill(&mut context.level, &["errorLevel", "error_severity", "level", "Level", "severity"]);
        if context.validation.is_none() {
            let kind = level.get(&["type", "validation"]).filter(|kind| kind.ends_with("Validation"));
            context.validation = kind.map(Cow::into_owned);
        }
        stamp = stamp.or_else(|| level.get(&TIME_KEYS).and_then(|text| Some(time::first(&text, zone)?.0)));
    }
    stamp
}

/// The part of `before` that belongs to the innermost string of a JSON line: behind the last `": "`.
fn in_string(before: &str) -> &str {
    let marks: [&[u8]; 4] = [b"\": \"", b"\":\"", b"[\"", b", \""];
    let mut quotes = memchr::memrchr_iter(b'"', before.as_bytes());
    let last = quotes.find(|at| marks.iter().any(|mark| before.as_bytes()[..=*at].ends_with(mark)));
    &before[last.map_or(0, |at| at + 1)..]
}

/// What stands at the head of a log line before the message.
fn read_head(head: &str, zone: &TimeZone, context: &mut Context) -> Option<Time> {
    // Compiled where a line needs one: that takes longer than all else for a few small files.
    static CSVLOG: LazyLock<Regex> = LazyLock::new(|| {
        time::pattern(r#"^[" A-Z]*,"[^"]*","([^"]*)",[0-9]+,.*,([A-Z]+[0-9]?),[0-9A-Z]{5},"#)
    });
    // `db=orders` and `user@orders` of log_line_prefix, then `<db>: message`.
    static DATABASE: LazyLock<Regex> =
        LazyLock::new(|| time::pattern(r"\b(?:db|database)=([^\s,;\]]+)|\]:?\s[\w.-]+@([\w.-]+)\s"));
    static LEAD: LazyLock<Regex> =
        LazyLock::new(|| time::pattern(r"^\s*([^\s:]{1,63}): (?:$|Error\b|\[|\w)"));
    let head = behind_stream(head);
    let stamp = time::first(head, zone);
    let rest = stamp.as_ref().map_or(head, |(_, range)| &head[range.end..]);
    if let Some(found) = level(rest) {
        context.level = Some(found.to_string());
    }
    // The worker's columns: time, database, PID, file, level.
    let mut columns = rest.strip_prefix('\t').unwrap_or_default().split('\t');
    let (database, process) = (columns.next().unwrap_or_default(), columns.next().unwrap_or_default());
    let is_worker = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    if is_worker && !database.is_empty() {
        context.database = Some(database.to_string());
    }
    let columns = rest.trim_start_matches(|c| matches!(c, '"' | ' ' | 'A'..='Z')).starts_with(",\"");
    if columns && let Some(found) = CSVLOG.captures(rest) {
        (context.database, context.level) = (Some(found[1].to_string()), Some(found[2].to_string()));
    }
    if context.database.is_none() {
        let found = memchr::memchr2(b'=', b'@', rest.as_bytes()).and_then(|_| {
            let found = DATABASE.captures(rest)?;
            Some(found.get(1).or(found.get(2))?.as_str())
        });
        let led = || {
            let colon = memchr::memchr(b':', head.as_bytes())?;
            if stamp.is_some() || head.as_bytes().get(colon + 1) != Some(&b' ') {
                return None;
            }
            let name = LEAD.captures(head)?.get(1)?.as_str();
            let word = name.to_ascii_lowercase();
            let other = level(name).is_some() || NO_DATABASE.contains(&word.as_str());
            (!other && !name.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
        };
        context.database = found.or_else(led).map(|name| name.trim_matches(['"', '\'']).to_string());
    }
    stamp.map(|(time, _)| time)
}

/// The line without what a container runtime puts before it: its own time and stream.
fn behind_stream(head: &str) -> &str {
    static STREAM: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b" std"));
    if STREAM.find(head.as_bytes()).is_none() {
        return head;
    }
    let marks = [" stderr F ", " stdout F ", " stderr P ", " stdout P "];
    marks.iter().find_map(|mark| Some(&head[head.find(mark)? + mark.len()..])).unwrap_or(head)
}

/// The words that levels are.
const LEVELS: [&str; 16] = [
    "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5", "TRACE", "INFO", "NOTICE", "WARN", "WARNING",
    "ERROR", "FATAL", "PANIC", "LOG", "CRITICAL",
];

/// The first word of `rest` that is a level, behind a blank, a bracket, a colon or a hyphen.
fn level(rest: &str) -> Option<&str> {
    static LEVEL: LazyLock<Regex> = LazyLock::new(|| {
        time::pattern(
            r"(?:^|[\s\]:\-])(DEBUG[1-5]?|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|PANIC|LOG|CRITICAL)\b",
        )
    });
    if !rest.is_ascii() {
        // What is a blank or part of a word beyond ASCII is the pattern's to know.
        return Some(LEVEL.captures(rest)?.get(1)?.as_str());
    }
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut from = 0;
    while let Some(at) = rest[from..].find(|c: char| c.is_ascii_uppercase()).map(|at| from + at) {
        let len = rest[at..].find(|c| !inside(c)).unwrap_or(rest.len() - at);
        let before = rest.as_bytes()[..at].last();
        let begins = matches!(before, None | Some(b' ' | 0x09..=0x0d | b']' | b':' | b'-'));
        if begins && LEVELS.contains(&&rest[at..at + len]) {
            return Some(&rest[at..at + len]);
        }
        from = at + len;
    }
    None
}

/// Words before a colon that name no database.
const NO_DATABASE: [&str; 14] = [
    "error",
    "warning",
    "message",
    "msg",
    "code",
    "errorcode",
    "details",
    "detail",
    "reason",
    "pg_restore",
    "pg_dump",
    "psql",
    "pgcopydb",
    "fatal",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Context) {
        let at = text.find("HERE").expect("there");
        let window = Window::whole(text.as_bytes());
        let (time, context) = Reader::new(&window, &TimeZone::UTC).read(&(at..at + 4));
        (time.map(|time| time.to_string()), context)
    }

    #[test]
    fn the_head_of_a_line_tells() {
        let (time, context) =
            read("2024-06-01T06:06:48.410Z\tprod_db\t62\tpgsql.c\tERROR\t   [TARGET 0] HERE");
        assert_eq!(time.as_deref(), Some("2024-06-01T06:06:48.410Z"));
        assert_eq!(context.database.as_deref(), Some("prod_db"));
        assert_eq!(context.level.as_deref(), Some("ERROR"));
        let (time, context) = read("orders: HERE");
        assert_eq!((time, context.database.as_deref()), (None, Some("orders")));
        let (_, context) = read("2024-06-13 21:37:45.518 80 WARNING  pgsql.c:4041   HERE");
        assert_eq!((context.database, context.level.as_deref()), (None, Some("WARNING")));
        let (time, _) = read("2024-06-01T06:06:49Z stderr F 2024-06-01 06:06:48.410 80 ERROR x.c:1 HERE");
        assert_eq!(time.as_deref(), Some("2024-06-01T06:06:48.410Z"));
        let (_, context) = read(
            r#""2024-06-06 21:42:53.039 UTC","mig","orders",60,"h:1",66.1,1,"idle","x",1/1,0,ERROR,XX000,"HERE"#,
        );
        assert_eq!((context.database.as_deref(), context.level.as_deref()), (Some("orders"), Some("ERROR")));
        let (_, context) = read("Error: HERE");
        assert_eq!(context.database, None);
        let (_, context) = read("2024-06-13 21:37:45.518 UTC [80] mig@orders ERROR:  HERE");
        assert_eq!(context.database.as_deref(), Some("orders"));
    }

    proptest::proptest! {
        #[test]
        fn levels_are_what_the_pattern_says(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "ERROR", "DEBUG", "DEBUG5", "6", "WARN", "ING", "LOG", "log", " ", "\t", "\u{b}", "]", ":", "-", "_", "é", "\u{301}",
                ]),
                0..8,
            ),
        ) {
            let pattern = Regex::new(
                r"(?:^|[\s\]:\-])(DEBUG[1-5]?|TRACE|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|PANIC|LOG|CRITICAL)\b",
            ).expect("compiles");
            let text = parts.concat();
            let want = pattern.captures(&text).and_then(|found| Some(found.get(1)?.as_str()));
            proptest::prop_assert_eq!(level(&text), want);
        }

        #[test]
        fn the_innermost_string_is_behind_the_last_mark(text in "[\": ,\\[a]{0,24}") {
            let cut = ["\": \"", "\":\"", "[\"", ", \""]
                .iter()
                .filter_map(|mark| Some(text.rfind(mark)? + mark.len()))
                .max();
            proptest::prop_assert_eq!(in_string(&text), &text[cut.unwrap_or(0)..]);
        }
    }

    #[test]
    fn a_json_document_tells() {
        let (time, context) = read(
            r#"{"properties": {"migrationId": "m-1", "currentStatus": {"validationDetails": {
            "dbLevelValidationDetails": [{"databaseName": "hr", "summary": [{"type": "ExtensionsValidation",
            "messages": [{"message": "HERE", "state": "Failed"}]}]}]}}}}"#,
        );
        assert_eq!(time, None);
        let want = Context {
            database: Some("hr".into()),
            migration: Some("m-1".into()),
            validation: Some("ExtensionsValidation".into()),
            state: Some("Failed".into()),
            ..Context::default()
        };
        assert_eq!(context, want);
        let (_, context) = read(r#"{"dbDetails": {"orders": {"message": "HERE"}}}"#);
        assert_eq!(context.database.as_deref(), Some("orders"));
        let (_, context) = read(r#"{"error": "orders: HERE", "state": "Failed"}"#);
        assert_eq!(context.database.as_deref(), Some("orders"));
    }

    #[test]
    fn an_exports_log_line_has_its_own_time() {
        let line = r#"{"properties": {"errorLevel": "ERROR", "message": "2024-06-06 21:39:30.998 UTC [7] [user=m,db=orders,app=x] ERROR:  HERE"}, "time": "2024-06-06T21:39:31.082Z"}"#;
        for text in [line.to_string(), format!("{line}\n{line}")] {
            let (time, context) = read(&text);
            assert_eq!(time.as_deref(), Some("2024-06-06T21:39:30.998Z"));
            assert_eq!(context.database.as_deref(), Some("orders"));
            assert_eq!(context.level.as_deref(), Some("ERROR"));
        }
        let (time, context) = read(
            "2024-06-06T21:42:47.318Z\thr\t62\tmigrate.c\tERROR\t {\"code\": 1, \"state\": \"Failed\", \"m\": \"HERE\"}",
        );
        assert_eq!(time.as_deref(), Some("2024-06-06T21:42:47.318Z"));
        assert_eq!((context.database.as_deref(), context.state.as_deref()), (Some("hr"), Some("Failed")));
        let (time, _) = read(r#"{"time":"2024-06-06T21:39:31.082Z","message":"HERE"}"#);
        assert_eq!(time.as_deref(), Some("2024-06-06T21:39:31.082Z"));
    }
}
