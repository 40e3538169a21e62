//! Reads the time and the context of a window's matches.
//!
//! A window comes in once, then range after range of its matches; each returns the record's time and fields.
//! Documents and lines are parsed at most once, because many findings are often in the same one. How a log
//! line's head is read is known to [`super::head`], how a document is indexed to [`super::document`].

use super::document::Document;
use super::fields::{Context, Level, State};
use super::head::{in_string, read_head};
use super::migration_info::{self, MigrationInfo, MigrationReader};
use super::time::{self, Time};
use crate::input::Window;
use crate::matcher::bounds;
use crate::matcher::{bytes::lossy, normalized::UnescapedText};
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::sync::Arc;

/// Keys of a record's own time.
const TIME_KEYS: [&str; 7] =
    ["time", "timestamp", "@timestamp", "timegenerated", "eventtimestamp", "ts", "log_time"];

/// Reads contexts of one window.
#[derive(Debug)]
pub struct ContextReader<'w, 'a> {
    window: &'w Window<'a>,
    zone: &'w TimeZone,
    /// The source as one JSON document, if the window holds it whole and it is one.
    whole: OnceCell<Option<ParsedDocument<'a>>>,
    /// The line read last.
    line: RefCell<Option<Line<'a>>>,
}

/// A document with the migration that was read from it last.
#[derive(Debug)]
struct ParsedDocument<'a> {
    document: Document<'a>,
    migration: MigrationReader,
}

impl<'a> ParsedDocument<'a> {
    fn parse(bytes: &'a [u8]) -> Option<ParsedDocument<'a>> {
        let document = Document::parse(bytes)?;
        Some(ParsedDocument { document, migration: MigrationReader::default() })
    }

    fn migration_info(&self, offset: usize) -> Option<Arc<MigrationInfo>> {
        self.migration.read(&self.document, offset)
    }
}

/// A line of the window.
#[derive(Debug)]
struct Line<'a> {
    range: Range<usize>,
    text: UnescapedText<'a>,
    /// Where its first object starts.
    open: Option<usize>,
    /// The document from there to the end of the line, if it is one.
    document: OnceCell<Option<ParsedDocument<'a>>>,
    /// The ids that its text names.
    ids: OnceCell<Option<MigrationInfo>>,
}

impl<'a> Line<'a> {
    /// The line at `range`.
    fn new(bytes: &'a [u8], range: Range<usize>) -> Line<'a> {
        let raw = &bytes[range.clone()];
        Line {
            text: UnescapedText::new(raw, range.start),
            open: memchr::memchr(b'{', raw).map(|open| range.start + open),
            document: OnceCell::new(),
            ids: OnceCell::new(),
            range,
        }
    }
}

impl<'w, 'a> ContextReader<'w, 'a> {
    /// A reader for `window`; time stamps without a zone are in `zone`.
    pub fn new(window: &'w Window<'a>, zone: &'w TimeZone) -> ContextReader<'w, 'a> {
        ContextReader { window, zone, whole: OnceCell::new(), line: RefCell::new(None) }
    }

    /// The time and context of the match at `range`.
    pub fn read(&self, range: &Range<usize>) -> (Option<Time>, Context) {
        let mut last = self.line.borrow_mut();
        let line = self.line_at(range.start, &mut last);
        let before = line.text.shown(0..line.text.index_of(range.start));
        let before = lossy(&before);
        let whole = self.whole.get_or_init(|| self.window.whole.and_then(ParsedDocument::parse));
        let mut context = Context::default();
        let mut time = None;
        if let Some(parsed) = whole {
            let offset = self.window.base as usize + range.start;
            time = read_document(&parsed.document, offset, self.zone, &mut context);
        } else if let Some(open) = line.open.filter(|open| *open <= range.start)
            && let Some(parsed) =
                line.document.get_or_init(|| ParsedDocument::parse(&self.window.bytes[open..line.range.end]))
        {
            time = read_document(&parsed.document, range.start - open, self.zone, &mut context);
        }
        let is_json = whole.is_some() || time.is_some() || context != Context::default();
        if !is_json {
            return (read_head(&before, self.zone, &mut context), context);
        }
        // The nearest wins: the head of the message itself (a log line inside a JSON string), then the
        // objects around it, then the head of the line that the object is on.
        let mut nearest = Context::default();
        let logged = read_head(in_string(&before), self.zone, &mut nearest);
        nearest.fill_from(context);
        let mut outer = Context::default();
        let outer_time = before.find('{').and_then(|open| read_head(&before[..open], self.zone, &mut outer));
        nearest.fill_from(outer);
        (logged.or(time).or(outer_time), nearest)
    }

    /// The line around `at`: the one read last, or a new one that replaces it.
    fn line_at<'l>(&self, at: usize, last: &'l mut Option<Line<'a>>) -> &'l Line<'a> {
        let range = match &*last {
            Some(known) if bounds::is_whole_line(&known.range, at, bounds::CONTEXT_GRID) => {
                known.range.clone()
            }
            _ => bounds::context_line(self.window, at),
        };
        match last.take() {
            Some(known) if known.range == range => last.insert(known),
            _ => last.insert(Line::new(self.window.bytes, range)),
        }
    }
}

impl ContextReader<'_, '_> {
    /// The migration that the match at `range` belongs to; [`ContextReader::read`] has been called for it.
    pub fn migration_info(&self, range: &Range<usize>) -> Option<Arc<MigrationInfo>> {
        let last = self.line.borrow();
        let line = last.as_ref().filter(|line| line.range.contains(&range.start))?;
        let from_document = match (self.whole.get(), line.open.zip(line.document.get())) {
            (Some(Some(whole)), _) => whole.migration_info(self.window.base as usize + range.start),
            (_, Some((open, Some(parsed)))) if open <= range.start => {
                parsed.migration_info(range.start - open)
            }
            _ => None,
        };
        let from_text =
            line.ids.get_or_init(|| migration_info::ids_in_line(&line.text.shown(0..line.text.bytes.len())));
        match (from_text, from_document) {
            (None, info) => info,
            (Some(ids), None) => Some(Arc::new(ids.clone())),
            (Some(ids), Some(info)) => {
                let mut info = MigrationInfo::clone(&info);
                info.tracking.extend(ids.tracking.iter().cloned());
                Some(Arc::new(info))
            }
        }
    }

    /// The unescaped text of the match at `range`, its secrets masked, if the line read last decides it alone.
    pub(crate) fn unescaped(&self, range: &Range<usize>) -> Option<Vec<u8>> {
        let line = self.line.borrow();
        let whole = |line: &&Line<'_>| bounds::is_whole_line(&line.range, range.start, bounds::GRID);
        let line = line.as_ref().filter(|line| whole(line) && range.end <= line.range.end)?;
        Some(line.text.slice(range).into_owned())
    }
}

/// Fills `context` from the objects around `offset`, innermost first, and returns their time.
fn read_document(
    document: &Document<'_>,
    offset: usize,
    zone: &TimeZone,
    context: &mut Context,
) -> Option<Time> {
    let mut stamp = None;
    let mut inner: Option<&str> = None;
    for object in document.around(offset) {
        let get = |keys: &[&str]| object.get(keys).filter(|value| !value.is_empty());
        let fill = |field: &mut Option<String>, keys: &[&str]| {
            if field.is_none() {
                *field = get(keys).map(Cow::into_owned);
            }
        };
        fill(&mut context.database, &["databaseName", "database", "dbName", "db"]);
        // `"dbDetails": {"orders": {"message": …}}`: the key of the object inside is the database.
        if object.name == Some("dbDetails") && context.database.is_none() {
            context.database = inner.map(str::to_string);
        }
        inner = object.name;
        fill(&mut context.server, &["serverName", "LogicalServerName", "server"]);
        fill(&mut context.migration, &["migrationId"]);
        if context.state.is_none() {
            context.state = get(&["state", "migrationState", "status"]).map(|word| State::from(&*word));
        }
        if context.level.is_none() {
            let keys = ["errorLevel", "error_severity", "level", "Level", "severity"];
            context.level = get(&keys).map(|word| Level::from(&*word));
        }
        if context.validation.is_none() {
            let kind = object.get(&["type", "validation"]).filter(|kind| kind.ends_with("Validation"));
            context.validation = kind.map(Cow::into_owned);
        }
        stamp = stamp.or_else(|| object.get(&TIME_KEYS).and_then(|text| Some(time::first(&text, zone)?.0)));
    }
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Context) {
        let at = text.find("HERE").expect("present");
        let window = Window::whole(text.as_bytes());
        let (time, context) = ContextReader::new(&window, &TimeZone::UTC).read(&(at..at + 4));
        (time.map(|time| time.to_string()), context)
    }

    #[test]
    fn the_head_of_a_line_is_read() {
        let (time, context) =
            read("2024-06-01T06:06:48.410Z\tprod_db\t62\tpgsql.c\tERROR\t   [TARGET 0] HERE");
        assert_eq!(time.as_deref(), Some("2024-06-01T06:06:48.410Z"));
        assert_eq!(context.database.as_deref(), Some("prod_db"));
        assert_eq!(context.level, Some(Level::Error));
        let (time, context) = read("orders: HERE");
        assert_eq!((time, context.database.as_deref()), (None, Some("orders")));
        let (_, context) = read("2024-06-13 21:37:45.518 80 WARNING  pgsql.c:4041   HERE");
        assert_eq!((context.database, context.level), (None, Some(Level::Warning)));
        let (time, _) = read("2024-06-01T06:06:49Z stderr F 2024-06-01 06:06:48.410 80 ERROR x.c:1 HERE");
        assert_eq!(time.as_deref(), Some("2024-06-01T06:06:48.410Z"));
        let (_, context) = read(
            r#""2024-06-06 21:42:53.039 UTC","mig","orders",60,"h:1",66.1,1,"idle","x",1/1,0,ERROR,XX000,"HERE"#,
        );
        assert_eq!((context.database.as_deref(), context.level), (Some("orders"), Some(Level::Error)));
        let (_, context) = read("Error: HERE");
        assert_eq!(context.database, None);
        let (_, context) = read("2024-06-13 21:37:45.518 UTC [80] mig@orders ERROR:  HERE");
        assert_eq!(context.database.as_deref(), Some("orders"));
    }

    #[test]
    fn a_json_document_is_read() {
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
            state: Some(State::Failed),
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
            assert_eq!(context.level, Some(Level::Error));
        }
        let (time, context) = read(
            "2024-06-06T21:42:47.318Z\thr\t62\tmigrate.c\tERROR\t {\"code\": 1, \"state\": \"Failed\", \"m\": \"HERE\"}",
        );
        assert_eq!(time.as_deref(), Some("2024-06-06T21:42:47.318Z"));
        assert_eq!((context.database.as_deref(), context.state), (Some("hr"), Some(State::Failed)));
        let (time, _) = read(r#"{"time":"2024-06-06T21:39:31.082Z","message":"HERE"}"#);
        assert_eq!(time.as_deref(), Some("2024-06-06T21:39:31.082Z"));
    }
}
