//! Reads the time and the context of a window's matches.
//!
//! A window comes in once, then range after range of its matches; each returns the record's time and fields.
//! Documents and lines are parsed at most once, because many findings are often in the same one. How a log
//! line's head is read is known to [`super::head`], how a document is indexed to [`super::document`].
//!
//! # What a finding costs
//!
//! An object may have a hundred thousand members, and each may be a finding. So an object is asked once what it says, not
//! once for each finding: a [`ParsedDocument`] keeps what the objects on the path from the root to the finding say, and
//! what follows from them together. Findings come in order, and so do the objects around them: what leaves the path is
//! never needed again. So a finding costs as much in a large document as in a small one.

use super::document::{Document, ObjectView};
use super::fields::{Context, Level, MAX_NAME, State};
use super::head::{in_string, read_head};
use super::migration_info::{self, MigrationInfo};
use super::time::{self, Time};
use crate::input::Window;
use crate::matcher::{Matcher, bounds};
use crate::matcher::{bytes::lossy, normalized::UnescapedText, work};
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
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
    whole: OnceCell<Option<ParsedDocument>>,
    /// The line read last.
    line: RefCell<Option<Line>>,
    /// The text of the part of a long line that a match was in last, and the range of that part.
    part: RefCell<(Range<usize>, UnescapedText)>,
}

/// A document, with what the objects around the finding read last say.
#[derive(Debug)]
struct ParsedDocument {
    document: Document,
    /// From the outermost object to the innermost.
    path: RefCell<Vec<ObjectAround>>,
}

/// One of the objects around a finding.
#[derive(Debug)]
struct ObjectAround {
    /// The object, by index.
    object: usize,
    /// What it says itself.
    own: Record,
    migration: migration_info::ObjectFacts,
    /// What it and the objects around it say: for findings of which it is the innermost object.
    all: OnceCell<Rc<Around>>,
}

/// What the objects around a finding say.
#[derive(Debug, Default)]
struct Around {
    record: Record,
    migration: Option<Arc<MigrationInfo>>,
}

/// The time and the fields of a record.
#[derive(Debug, Default)]
struct Record {
    time: Option<Time>,
    context: Context,
}

impl ParsedDocument {
    fn parse(bytes: &[u8]) -> Option<ParsedDocument> {
        Some(ParsedDocument { document: Document::parse(bytes)?, path: RefCell::default() })
    }

    /// Returns what the objects around `offset` say.
    fn around(&self, offset: usize, zone: &TimeZone) -> Rc<Around> {
        let Some(innermost) = self.document.innermost(offset) else { return Rc::default() };
        let mut path = self.path.borrow_mut();
        if path.last().is_none_or(|last| last.object != innermost) {
            let mut objects: Vec<usize> = self.document.outwards(innermost).collect();
            objects.reverse();
            let same =
                path.iter().zip(&objects).take_while(|(known, object)| known.object == **object).count();
            path.truncate(same);
            path.extend(objects[same..].iter().map(|object| {
                let view = self.document.object(*object);
                let migration = migration_info::ObjectFacts::new(view);
                ObjectAround { object: *object, own: own_record(view, zone), migration, all: OnceCell::new() }
            }));
        }
        let all = path.last().map(|last| last.all.get_or_init(|| Rc::new(self.joined(&path))).clone());
        all.unwrap_or_default()
    }

    /// Joins what the objects of a path say: the nearest wins.
    fn joined(&self, path: &[ObjectAround]) -> Around {
        let mut record = Record::default();
        let mut inner: Option<&str> = None;
        for level in path.iter().rev() {
            let name = self.document.object(level.object).name;
            record.time = record.time.or(level.own.time);
            record.context.fill_from(level.own.context.clone());
            // `"dbDetails": {"orders": {"message": …}}`: the key of the object inside is the database.
            if name == Some("dbDetails") && record.context.database.is_none() {
                record.context.database = inner.filter(|name| name.len() <= MAX_NAME).map(str::to_string);
            }
            inner = name;
        }
        let migration = migration_info::joined(
            &self.document,
            path.iter().rev().map(|level| (level.object, &level.migration)),
        );
        Around { record, migration }
    }
}

/// A line of the window.
#[derive(Debug)]
struct Line {
    range: Range<usize>,
    text: UnescapedText,
    /// Where its first object starts.
    open: Option<usize>,
    /// The document from there to the end of the line, if it is one.
    document: OnceCell<Option<ParsedDocument>>,
    /// The ids that its text names.
    ids: OnceCell<Option<Arc<BTreeSet<String>>>>,
    /// What a document said last about the migration, and the same with the ids of the line.
    joined: RefCell<Option<WithIds>>,
}

/// What a document says about the migration, without and with the ids of a line.
#[derive(Debug)]
struct WithIds {
    said: Option<Arc<MigrationInfo>>,
    joined: Arc<MigrationInfo>,
}

impl Line {
    /// The line at `range`, in the memory of `text`.
    fn new(bytes: &[u8], range: Range<usize>, text: UnescapedText) -> Line {
        let raw = &bytes[range.clone()];
        Line {
            text: text.reuse(raw, range.start),
            open: memchr::memchr(b'{', raw).map(|open| range.start + open),
            document: OnceCell::new(),
            ids: OnceCell::new(),
            joined: RefCell::default(),
            range,
        }
    }

    /// Adds the ids of the line to what a document says about the migration.
    fn with_ids(&self, said: Option<Arc<MigrationInfo>>) -> Option<Arc<MigrationInfo>> {
        let Some(ids) = self.ids.get_or_init(|| migration_info::ids_in_line(&self.text.bytes)) else {
            return said;
        };
        let mut last = self.joined.borrow_mut();
        let same = |known: &Option<Arc<MigrationInfo>>| match (known, &said) {
            (Some(known), Some(said)) => Arc::ptr_eq(known, said),
            (known, said) => known.is_none() && said.is_none(),
        };
        if let Some(known) = last.as_ref().filter(|known| same(&known.said)) {
            return Some(known.joined.clone());
        }
        let mut info = said.as_deref().cloned().unwrap_or_default();
        info.tracking.push(ids.clone());
        Some(last.insert(WithIds { said, joined: Arc::new(info) }).joined.clone())
    }
}

impl<'w, 'a> ContextReader<'w, 'a> {
    /// A reader for `window`; time stamps without a zone are in `zone`.
    pub fn new(window: &'w Window<'a>, zone: &'w TimeZone) -> ContextReader<'w, 'a> {
        ContextReader {
            window,
            zone,
            whole: OnceCell::new(),
            line: RefCell::new(None),
            part: RefCell::new((0..0, UnescapedText::default())),
        }
    }

    /// The time and context of the match at `range`.
    pub fn read(&self, range: &Range<usize>) -> (Option<Time>, Context) {
        let mut last = self.line.borrow_mut();
        let line = self.line_at(range.start, &mut last);
        let before = line.text.shown_before(line.text.index_of(range.start));
        let before = lossy(&before);
        work::add(before.len());
        let around = self.around(line, range.start);
        let is_whole = matches!(self.whole.get(), Some(Some(_)));
        let (time, context) = match &around {
            Some(around) => (around.record.time, around.record.context.clone()),
            None => (None, Context::default()),
        };
        let is_json = is_whole || time.is_some() || context != Context::default();
        if !is_json {
            let mut context = context;
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

    /// What the objects around the place `at` on `line` say; none where it is in no document.
    fn around(&self, line: &Line, at: usize) -> Option<Rc<Around>> {
        let whole = self.whole.get_or_init(|| self.window.whole.and_then(ParsedDocument::parse));
        if let Some(parsed) = whole {
            return Some(parsed.around(self.window.base as usize + at, self.zone));
        }
        let open = line.open.filter(|open| *open <= at)?;
        let parse = || ParsedDocument::parse(&self.window.bytes[open..line.range.end]);
        Some(line.document.get_or_init(parse).as_ref()?.around(at - open, self.zone))
    }

    /// The line around `at`: the one read last, or a new one that replaces it.
    fn line_at<'l>(&self, at: usize, last: &'l mut Option<Line>) -> &'l Line {
        let range = match &*last {
            Some(known) if bounds::is_whole_line(&known.range, at, bounds::CONTEXT_GRID) => {
                known.range.clone()
            }
            _ => bounds::context_line(self.window, at),
        };
        match last.take() {
            Some(known) if known.range == range => last.insert(known),
            known => {
                let memory = known.map(|known| known.text).unwrap_or_default();
                last.insert(Line::new(self.window.bytes, range, memory))
            }
        }
    }

    /// The migration that the match at `range` belongs to; [`ContextReader::read`] has been called for it.
    pub fn migration_info(&self, range: &Range<usize>) -> Option<Arc<MigrationInfo>> {
        let last = self.line.borrow();
        let line = last.as_ref().filter(|line| line.range.contains(&range.start))?;
        let around = self.around(line, range.start);
        line.with_ids(around.and_then(|around| around.migration.clone()))
    }

    /// The unescaped text of the match at `range`, its secrets masked.
    pub(crate) fn unescaped(&self, range: &Range<usize>) -> Vec<u8> {
        let line = self.line.borrow();
        let whole = |line: &&Line| bounds::is_whole_line(&line.range, range.start, bounds::GRID);
        if let Some(line) = line.as_ref().filter(|line| whole(line) && range.end <= line.range.end) {
            return line.text.slice(range).into_owned();
        }
        // Matches next to each other on a long line are in the same part of it.
        let part = Matcher::lines(self.window, range);
        let mut last = self.part.borrow_mut();
        if last.0 != part {
            let memory = std::mem::take(&mut last.1);
            *last = (part.clone(), memory.reuse(&self.window.bytes[part.clone()], part.start));
        }
        last.1.slice(range).into_owned()
    }
}

/// What the object says itself.
fn own_record(object: ObjectView<'_>, zone: &TimeZone) -> Record {
    let get = |keys: &[&str]| object.get(keys).filter(|value| !value.is_empty() && value.len() <= MAX_NAME);
    let text = |keys: &[&str]| get(keys).map(Cow::into_owned);
    let validation = object.get(&["type", "validation"]).filter(|kind| kind.ends_with("Validation"));
    let context = Context {
        database: text(&["databaseName", "database", "dbName", "db"]),
        server: text(&["serverName", "LogicalServerName", "server"]),
        migration: text(&["migrationId"]),
        validation: validation.filter(|kind| kind.len() <= MAX_NAME).map(Cow::into_owned),
        state: get(&["state", "migrationState", "status"]).map(|word| State::from(&*word)),
        level: get(&["errorLevel", "error_severity", "level", "Level", "severity"])
            .map(|word| Level::from(&*word)),
    };
    let time = object.get(&TIME_KEYS).and_then(|text| Some(time::first(&text, zone)?.0));
    Record { time, context }
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
