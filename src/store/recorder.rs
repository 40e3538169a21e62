//! The recorder: stores the findings of a batch on their way to the next sink.
//!
//! It is a [`Sink`] and a [`FileSink`] between the scan and the outputs. For each file, in the order of the
//! scan, it receives the file's start, its findings, and its end with the content that was read. It writes
//! findings, and forwards those that count.
//!
//! The difficulty is order: findings arrive before the end of their file, and only the end shows what the
//! file is. So findings are written at once, under a stream number that is chosen at the start, and put right
//! at the end:
//!
//! - A file with a head that no stream has gets a new number; its stream row follows at the end.
//! - A file with a known head was hashed before the scan, or is hashed at its start, so its stream is known.
//!   If it turns out to be a copy of another file of this run, its findings are dropped and not forwarded.
//! - At the end of the batch, a stream that was read to its end loses the findings that only earlier runs
//!   had, from the place on where reading started: what was read replaces what was known. For example, a log
//!   ended in `error 603405` and now goes on with `12`: the number is no error code any more.
//! - A stream that was not read to its end loses nothing, and is marked incomplete so that the next run reads
//!   it.

use super::connection::Store;
use super::identity::{self, Identified, Identity};
use super::inputs::{Decision, Reread};
use super::known::Mtime;
use crate::catalog::{Catalog, Entry};
use crate::error::Error;
use crate::finding::Finding;
use crate::input::Input;
use crate::redact::secrets::mask_path;
use crate::scan::{Content, FileSink, FileStart, Options, Outcome, Sink, Status, emit};
use crate::source::Origin;
use crate::summary::Summary;
use rusqlite::params;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A file that a batch reads.
#[derive(Debug)]
pub struct BatchFile<'b> {
    input: &'b Input,
    mtime: Mtime,
    stream: Option<i64>,
    /// Whether the scan has reported its content.
    is_identified: bool,
}

impl<'b> BatchFile<'b> {
    /// A file that is read as `stream`; `None` if no known stream starts like it.
    pub fn new(input: &'b Input, mtime: Mtime, stream: Option<i64>) -> BatchFile<'b> {
        BatchFile { input, mtime, stream, is_identified: false }
    }
}

/// Which findings are forwarded and counted in the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewOnly {
    /// All findings of what is read.
    No,
    /// Those that the store did not have.
    Yes,
}

/// The settings of a batch.
#[derive(Debug, Clone, Copy)]
pub struct ScannedWith<'r> {
    /// The catalogue of the scan.
    pub catalog: &'r Catalog,
    /// The options of the scan.
    pub options: &'r Options,
}

/// Stores the findings of a batch.
pub struct Recorder<'r, 'k> {
    store: &'r mut Store,
    options: &'r Options,
    /// The catalogue's entries by id.
    entries: HashMap<&'r str, &'r Entry>,
    /// In the order of the scan.
    files: Vec<BatchFile<'r>>,
    /// The index of the file that comes next, at the earliest.
    next_file: usize,
    sink: Option<&'r mut (dyn Sink + 'k)>,
    new_only: NewOnly,
    open: Option<OpenSource>,
    /// The path of the open pipe.
    pipe: Option<PathBuf>,
    origin: Option<Arc<Origin>>,
    /// How many sources there were, which numbers them in the summary.
    sources: u32,
    /// Findings by member, offset and id in the open archive: members with the same name have the same key.
    members: HashMap<(String, u64, Arc<str>), i64>,
    streams: Vec<ReadStream>,
    totals: BatchTotals,
}

/// The totals of a batch.
#[derive(Debug, Default)]
pub struct BatchTotals {
    /// The summary of the findings that count.
    pub summary: Summary,
    /// How many findings there were.
    pub findings: u64,
    /// How many of them are new.
    pub new: u64,
    /// How many files turned out to be copies.
    pub copies: u64,
}

/// The file or pipe whose findings come now.
struct OpenSource {
    /// The index of the file; `None` for a pipe.
    file: Option<usize>,
    route: Route,
    /// Where reading started.
    from: u64,
    /// Whether its stream is new and has no row yet.
    is_new: bool,
}

/// Where findings go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Route {
    /// To this stream, and on to the next sink.
    Store(i64),
    /// Away: the file is a copy.
    Discard,
    /// Only to the next sink: the scan did not report the file's start, so there is no stream to store them
    /// in.
    Forward,
}

/// A stream that was read.
struct ReadStream {
    file: usize,
    stream: i64,
    from: u64,
    is_new: bool,
    content: Content,
    /// Another stream, which the file's path held before.
    replaced: Option<i64>,
}

impl<'r, 'k> Recorder<'r, 'k> {
    /// Records what is found in `files`, which are in the order of the scan.
    pub fn new(
        store: &'r mut Store,
        scan: ScannedWith<'r>,
        files: Vec<BatchFile<'r>>,
        sink: Option<&'r mut (dyn Sink + 'k)>,
        new_only: NewOnly,
    ) -> Recorder<'r, 'k> {
        Recorder {
            store,
            options: scan.options,
            entries: scan.catalog.entries.iter().map(|entry| (&*entry.id, &**entry)).collect(),
            files,
            next_file: 0,
            sink,
            new_only,
            open: None,
            pipe: None,
            origin: None,
            sources: 0,
            members: HashMap::new(),
            streams: Vec::new(),
            totals: BatchTotals::default(),
        }
    }

    /// Ends the batch with the outcome of its scan.
    ///
    /// # Errors
    ///
    /// As [`Store::start_run`].
    pub fn finish(mut self, outcome: &Outcome) -> Result<BatchTotals, Error> {
        self.close()?;
        let is_partial = |status| matches!(status, Status::Partial | Status::Failed);
        let problems = outcome.inputs.problems.iter().filter(|problem| is_partial(problem.status));
        let partial: HashSet<&Path> = problems.map(|problem| &*problem.origin.path).collect();
        for read in std::mem::take(&mut self.streams) {
            let is_partial =
                !partial.is_empty() && partial.contains(&*mask_path(&self.files[read.file].input.path));
            match (is_partial, read.is_new) {
                // Its row says so already.
                (false, true) => {}
                (false, false) => self.replace_findings(read)?,
                (true, _) => self.keep_partial(read)?,
            }
        }
        // Reserved files that could not be opened: a copy of them must not count as read, either.
        for file in self.files.iter().filter(|file| !file.is_identified) {
            if let Some(stream) = file.stream {
                self.store.mark_incomplete(stream)?;
            }
        }
        Ok(self.totals)
    }

    /// Records that an earlier run's stream was read to its end: drops findings that are no longer found.
    fn replace_findings(&mut self, read: ReadStream) -> Result<(), Error> {
        let sql = "DELETE FROM occurrence WHERE stream=?1 AND last_run<>?2 AND offset>=?3";
        self.store.execute(sql, params![read.stream, self.store.run, read.from as i64])?;
        let BatchFile { input, mtime, .. } = self.files[read.file];
        // Reading that resumed in the middle has not seen the head.
        let known = self.store.known.streams.get(&read.stream).filter(|_| read.from > 0);
        let head = known.map_or(read.content.head, |known| known.content.head);
        self.store.update_stream(read.stream, &input.path, Content { head, ..read.content })?;
        self.store.upsert_input(input, mtime, read.stream)
    }

    /// Records that a stream was not read to its end: what other runs found in it stays.
    fn keep_partial(&mut self, read: ReadStream) -> Result<(), Error> {
        self.store.mark_incomplete(read.stream)?;
        if !read.is_new {
            return Ok(());
        }
        // If nothing could be read, or only a part of what the path held before, the next run recognises
        // neither. To record it would make the same findings new twice, so they are left to the next run.
        let replaced = read.replaced.and_then(|id| self.store.known.streams.get(&id));
        let is_prefix = |old: &Content| old.head == read.content.head && old.length >= read.content.length;
        let is_unrecognisable =
            read.content.length == 0 || replaced.is_some_and(|old| is_prefix(&old.content));
        if is_unrecognisable || !read.content.archive {
            let sql = "DELETE FROM occurrence WHERE stream=?1 AND offset>=?2";
            let from = if is_unrecognisable { 0 } else { read.content.length as i64 };
            self.store.execute(sql, params![read.stream, from])?;
        }
        if is_unrecognisable {
            self.store.delete_stream(read.stream, self.files[read.file].input)
        } else {
            Ok(())
        }
    }

    /// Drops the findings of a new file whose content was never reported.
    fn close(&mut self) -> Result<(), Error> {
        match self.open.take() {
            Some(OpenSource { route: Route::Store(stream), is_new: true, .. }) => {
                self.store.execute("DELETE FROM occurrence WHERE stream=?1", params![stream]).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Records the content of the open file.
    fn record_content(&mut self, open: &OpenSource, content: Content) -> Result<(), Error> {
        let (Route::Store(stream), Some(file)) = (open.route, open.file) else { return Ok(()) };
        self.files[file].is_identified = true;
        let BatchFile { input, mtime, .. } = self.files[file];
        let replaced = self.store.stream_of(input).filter(|replaced| *replaced != stream);
        if open.is_new {
            self.store.insert_stream(stream, input, content.clone(), mtime)?;
        }
        let (from, is_new) = (open.from, open.is_new);
        self.streams.push(ReadStream { file, stream, from, is_new, content, replaced });
        Ok(())
    }

    /// The index of the file with this path. Files before it were skipped, and do not come any more.
    fn find_file(&mut self, path: &Path) -> Option<usize> {
        let is_same = |file: &BatchFile<'_>| is_same(&file.input.path, path);
        let found = self.next_file + self.files[self.next_file..].iter().position(is_same)?;
        self.next_file = found;
        Some(found)
    }

    /// Chooses the route of a file that no stream was known for before the scan. Another file of this batch
    /// may have created one since.
    fn route(&mut self, file: usize, start: &FileStart<'_>) -> Result<Route, Error> {
        if !self.store.known.has_head(start.head) {
            return Ok(Route::Store(self.store.known.next_stream()));
        }
        let content = match start.content {
            Some(content) => content.clone(),
            // Only a copy is of interest: without prefixes.
            None => match identity::identify(
                self.files[file].input,
                self.options,
                &|_| Some(Vec::new()),
                &AtomicBool::new(false),
            ) {
                Ok(Identity::Hashed(identified)) => identified.content,
                _ => return Ok(Route::Store(self.store.known.next_stream())),
            },
        };
        let BatchFile { input, mtime, .. } = self.files[file];
        let identified = Identified { content, prefixes: Vec::new() };
        match self.store.reserve(input, mtime, &identified, Reread::IfNeeded)? {
            Decision::Known => {
                self.totals.copies += 1;
                Ok(Route::Discard)
            }
            Decision::Read(stream) => Ok(Route::Store(stream)),
        }
    }

    fn is_open(&self, path: &Path) -> bool {
        let Some(open) = &self.open else { return false };
        let own = open.file.map(|file| &self.files[file].input.path).or(self.pipe.as_ref());
        own.is_some_and(|own| is_same(own, path))
    }

    /// Switches to the next source of findings: a file, a member of the open archive, or a pipe, which has no
    /// start.
    fn switch_to(&mut self, origin: &Arc<Origin>) -> Result<(), Error> {
        if !self.is_open(&origin.path) {
            self.close()?;
            let file = self.find_file(&origin.path);
            let route = match file {
                Some(_) => Route::Forward,
                None => Route::Store(self.store.insert_pipe(&origin.path)?),
            };
            self.pipe = file.is_none().then(|| origin.path.clone());
            self.open = Some(OpenSource { file, route, from: 0, is_new: false });
        }
        self.sources += 1;
        self.origin = Some(origin.clone());
        Ok(())
    }

    /// Stores the finding; returns whether it is new.
    fn upsert_finding(&mut self, stream: i64, finding: &Finding) -> Result<bool, Error> {
        let member = finding.origin.member.as_deref().unwrap_or_default();
        let nth = if member.is_empty() { 0 } else { self.count_in_member(member, finding) };
        self.store.upsert_finding(stream, nth, finding)
    }

    /// How many findings with this place and id the open archive had before. An archive may hold many members
    /// of one name, and a finding at the same offset of each.
    fn count_in_member(&mut self, member: &str, finding: &Finding) -> i64 {
        let key = (member.to_string(), finding.offset, finding.id.clone());
        let count = self.members.entry(key).or_default();
        *count += 1;
        *count - 1
    }
}

impl FileSink for Recorder<'_, '_> {
    fn start(&mut self, start: &FileStart<'_>) -> Result<(), Error> {
        self.close()?;
        self.origin = None;
        self.members.clear();
        let Some(file) = self.find_file(start.path) else { return Ok(()) };
        let route = match self.files[file].stream {
            Some(stream) => Route::Store(stream),
            None => self.route(file, start)?,
        };
        let is_new = matches!(route, Route::Store(stream) if self.store.known.is_new(stream));
        let mut open = OpenSource { file: Some(file), route, from: start.from, is_new };
        // An archive is identified before it is unpacked, and has no end.
        if let Some(content) = start.content.filter(|content| content.archive) {
            self.record_content(&open, content.clone())?;
            open.is_new = false;
        }
        self.open = Some(open);
        Ok(())
    }

    fn end(&mut self, path: &Path, content: Content) -> Result<(), Error> {
        if !self.is_open(path) {
            // An empty file ends without a start.
            self.start(&FileStart { path, from: 0, head: content.head, content: Some(&content) })?;
        }
        match self.open.take() {
            Some(open) => self.record_content(&open, content),
            None => Ok(()),
        }
    }
}

impl Sink for Recorder<'_, '_> {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        if self.origin.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &finding.origin)) {
            self.switch_to(&finding.origin)?;
        }
        let is_new = match self.open.as_ref().map(|open| open.route) {
            Some(Route::Discard) => return Ok(()),
            Some(Route::Store(stream)) => self.upsert_finding(stream, finding)?,
            Some(Route::Forward) | None => true,
        };
        self.totals.findings += 1;
        self.totals.new += u64::from(is_new);
        if !is_new && self.new_only == NewOnly::Yes {
            return Ok(());
        }
        self.totals.summary.add(finding, self.entries.get(&*finding.id).copied(), self.sources);
        self.totals.summary.sample(finding);
        match &mut self.sink {
            Some(sink) => emit(&mut **sink, finding),
            None => Ok(()),
        }
    }

    fn file_sink(&mut self) -> Option<&mut dyn FileSink> {
        Some(self)
    }
}

/// Whether an input is the one that a finding names: in names, secrets are masked.
fn is_same(input: &Path, named: &Path) -> bool {
    input.as_os_str() == named.as_os_str() || *mask_path(input) == *named
}
