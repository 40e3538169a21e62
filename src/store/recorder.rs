//! The recorder: takes what is found in a batch on its way to another sink.
//!
//! Findings come in from the scan, in order, between what it says of their files; they go on to another sink. Findings of
//! a stream that was read to its end replace all that it had; one that was not read to its end loses none. A file that
//! turns out to be a copy of another is not counted.

use super::identity::{self, Look};
use super::{Decision, Store};
use crate::error::Error;
use crate::finding::Finding;
use crate::input::Input;
use crate::record::FindingRecord;
use crate::scan::{Content, FileSink, FileStart, Options, Outcome, Sink, Status, emit};
use crate::source::Origin;
use crate::summary::Summary;
use rusqlite::params;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that a batch reads.
#[derive(Debug)]
pub struct ToRead<'b> {
    /// The input.
    pub input: &'b Input,
    /// Whether its times can be trusted later.
    pub settled: bool,
    /// The stream that it is read as; none where nothing known begins like it.
    pub stream: Option<i64>,
    /// Whether the scan has told what it is.
    pub told: bool,
}

/// Takes the findings of a batch.
pub struct Recorder<'r, 'k> {
    store: &'r mut Store,
    options: &'r Options,
    /// In the order of the scan, and which one comes next.
    files: Vec<ToRead<'r>>,
    at: usize,
    next: Option<&'r mut (dyn Sink + 'k)>,
    /// Whether only findings that the store did not have go on.
    new_only: bool,
    open: Option<Open>,
    /// The name of the open pipe.
    pipe: Option<PathBuf>,
    origin: Option<Arc<Origin>>,
    source: u32,
    /// The findings in members of the open archive, to tell those of the same name apart.
    met: HashMap<(String, u64, Arc<str>), i64>,
    read: Vec<Read>,
    done: Done,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Done {
    /// What the findings say that count.
    pub summary: Summary,
    /// How many findings there were.
    pub findings: u64,
    /// How many of them are new.
    pub new: u64,
    /// How many files turned out to be copies.
    pub copies: u64,
}

/// What findings come of.
struct Open {
    /// The file of the batch; none for a pipe.
    file: Option<usize>,
    to: To,
    /// Where it is read from.
    from: u64,
    /// Whether its stream is new, and nothing of it is kept yet.
    fresh: bool,
}

/// Where the findings of a file go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// They count as this stream's.
    Stream(i64),
    /// Nowhere: it is a copy.
    Copy,
    /// Only to the next sink: nobody can tell later what they were found in.
    Next,
}

/// A file that was read.
struct Read {
    file: usize,
    stream: i64,
    from: u64,
    /// Whether the stream is new.
    fresh: bool,
    content: Content,
    /// The stream that its path has held before.
    own: Option<i64>,
}

impl<'r, 'k> Recorder<'r, 'k> {
    /// Records what is found in `files`.
    pub fn new(
        store: &'r mut Store,
        options: &'r Options,
        files: Vec<ToRead<'r>>,
        next: Option<&'r mut (dyn Sink + 'k)>,
        new_only: bool,
    ) -> Recorder<'r, 'k> {
        Recorder {
            store,
            options,
            files,
            at: 0,
            next,
            new_only,
            open: None,
            pipe: None,
            origin: None,
            source: 0,
            met: HashMap::new(),
            read: Vec::new(),
            done: Done::default(),
        }
    }

    /// Ends the batch with what became of its inputs.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn finish(mut self, outcome: &Outcome) -> Result<Done, Error> {
        self.close()?;
        let broken = |status| matches!(status, Status::Partial | Status::Failed);
        let problems = outcome.inputs.problems.iter().filter(|problem| broken(problem.status));
        let problems: HashSet<&Path> = problems.map(|problem| &*problem.origin.path).collect();
        for read in std::mem::take(&mut self.read) {
            let broken = !problems.is_empty() && problems.contains(&*self.files[read.file].input.path);
            match (broken, read.fresh) {
                (false, true) => {}
                (false, false) => self.whole(read)?,
                (true, _) => self.in_part(read)?,
            }
        }
        // What was claimed and could not even be begun: copies of it are not known either.
        for file in self.files.iter().filter(|file| !file.told && file.stream.is_some()) {
            self.incomplete(file.stream)?;
        }
        Ok(self.done)
    }

    fn incomplete(&self, stream: Option<i64>) -> Result<(), Error> {
        self.store.execute("UPDATE stream SET complete=0 WHERE id=?1", params![stream]).map(|_| ())
    }

    /// Notes that a stream of another run was read to its end.
    fn whole(&mut self, read: Read) -> Result<(), Error> {
        let sql = "DELETE FROM finding WHERE stream=?1 AND last_run<>?2 AND offset>=?3";
        self.store.execute(sql, params![read.stream, self.store.run, read.from as i64])?;
        let ToRead { input, settled, .. } = self.files[read.file];
        let known = self.store.known.streams.get(&read.stream).filter(|_| read.from > 0);
        let head = known.map_or(read.content.head, |known| known.content.head);
        self.store.keep(read.stream, &input.path, Content { head, ..read.content })?;
        self.store.see(input, settled, read.stream)
    }

    /// Notes that a stream was not read to its end: what other runs have found in it stays.
    fn in_part(&mut self, read: Read) -> Result<(), Error> {
        self.incomplete(Some(read.stream))?;
        if !read.fresh {
            return Ok(());
        }
        let own = read.own.and_then(|own| self.store.known.streams.get(&own)).map(|own| &own.content);
        let begin_of = |own: &Content| own.head == read.content.head && own.length >= read.content.length;
        // What cannot be told from nothing, or from the begin of what its path has held, is found again by the next run.
        let lost = read.content.length == 0 || own.is_some_and(begin_of);
        if lost || !read.content.archive {
            let sql = "DELETE FROM finding WHERE stream=?1 AND offset>=?2";
            let from = if lost { 0 } else { read.content.length as i64 };
            self.store.execute(sql, params![read.stream, from])?;
        }
        if lost { self.store.forget(read.stream, self.files[read.file].input) } else { Ok(()) }
    }

    /// Drops what was found in a new file that nobody can tell later.
    fn close(&mut self) -> Result<(), Error> {
        match self.open.take() {
            Some(Open { to: To::Stream(stream), fresh: true, .. }) => {
                self.store.execute("DELETE FROM finding WHERE stream=?1", params![stream]).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Notes what the file `open` is.
    fn note(&mut self, open: &Open, content: Content) -> Result<(), Error> {
        let (To::Stream(stream), Some(file)) = (open.to, open.file) else { return Ok(()) };
        self.files[file].told = true;
        let ToRead { input, settled, .. } = self.files[file];
        let own = self.store.own(input).filter(|own| *own != stream);
        if open.fresh {
            self.store.hold(stream, input, content.clone(), settled)?;
        }
        self.read.push(Read { file, stream, from: open.from, fresh: open.fresh, content, own });
        Ok(())
    }

    /// The number of a file of the batch; those before it that were passed over do not come any more.
    fn number(&mut self, path: &Path) -> Option<usize> {
        let is = |file: &ToRead<'_>| file.input.path.as_os_str() == path.as_os_str();
        let found = self.at + self.files[self.at..].iter().position(is)?;
        self.at = found;
        Some(found)
    }

    /// Where the findings of a file go that is not decided on yet: nothing in the store has begun like it.
    fn decide(&mut self, file: usize, begun: &FileStart<'_>) -> Result<To, Error> {
        if !self.store.known.begins(begun.head) {
            return Ok(To::Stream(self.store.known.number()));
        }
        let content = match begun.content {
            Some(content) => content.clone(),
            // A copy of another file of this run, if of any.
            None => match identity::look(self.files[file].input, self.options, &|_| Some(Vec::new())) {
                Ok(Look::Known(content, _)) => content,
                _ => return Ok(To::Stream(self.store.known.number())),
            },
        };
        let ToRead { input, settled, .. } = self.files[file];
        match self.store.claim(input, settled, (&content, &[]), false)? {
            Decision::Known => {
                self.done.copies += 1;
                Ok(To::Copy)
            }
            Decision::Read(stream) => Ok(To::Stream(stream)),
        }
    }

    /// Whether what findings come of is called so.
    fn is_open(&self, path: &Path) -> bool {
        let Some(open) = &self.open else { return false };
        let named = open.file.map(|file| &self.files[file].input.path).or(self.pipe.as_ref());
        named.is_some_and(|named| named.as_os_str() == path.as_os_str())
    }

    /// The next source of findings.
    fn turn(&mut self, origin: &Arc<Origin>) -> Result<(), Error> {
        if !self.is_open(&origin.path) {
            self.close()?;
            let file = self.number(&origin.path);
            let to = match file {
                Some(_) => To::Next,
                None => To::Stream(self.store.pipe(&origin.path)?),
            };
            self.pipe = file.is_none().then(|| origin.path.clone());
            self.open = Some(Open { file, to, from: 0, fresh: false });
        }
        self.source += 1;
        self.origin = Some(origin.clone());
        Ok(())
    }

    /// Keeps the finding; says whether it is new.
    fn keep(&mut self, stream: i64, finding: &Finding) -> Result<bool, Error> {
        let member = finding.origin.member.as_deref().unwrap_or_default();
        let nth = if member.is_empty() {
            0
        } else {
            let known = self.met.entry((member.to_string(), finding.offset, finding.id.clone())).or_default();
            *known += 1;
            *known - 1
        };
        let (offset, id, run) = (finding.offset as i64, &*finding.id, self.store.run);
        let record = serde_json::to_string(&FindingRecord::from(finding))
            .map_err(|error| Error::output("the store", std::io::Error::other(error)))?;
        let time = finding.time.map(|time| time.to_string());
        let values = params![stream, member, offset, id, nth, time, record, run];
        let sql = "INSERT OR IGNORE INTO finding VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)";
        if self.store.write(sql, values)? == 1 {
            return Ok(true);
        }
        let sql = "UPDATE finding SET time=?6, record=?7, last_run=?8 \
                   WHERE stream=?1 AND member=?2 AND offset=?3 AND id=?4 AND nth=?5";
        self.store.write(sql, values)?;
        Ok(false)
    }
}

impl FileSink for Recorder<'_, '_> {
    fn start(&mut self, begun: &FileStart<'_>) -> Result<(), Error> {
        self.close()?;
        self.origin = None;
        self.met.clear();
        let Some(file) = self.number(begun.path) else { return Ok(()) };
        let to = match self.files[file].stream {
            Some(stream) => To::Stream(stream),
            None => self.decide(file, begun)?,
        };
        let fresh = matches!(to, To::Stream(stream) if self.store.known.is_fresh(stream));
        let mut open = Open { file: Some(file), to, from: begun.from, fresh };
        if let Some(content) = begun.content.filter(|content| content.archive) {
            self.note(&open, content.clone())?;
            open.fresh = false;
        }
        self.open = Some(open);
        Ok(())
    }

    fn end(&mut self, path: &Path, content: Content) -> Result<(), Error> {
        if !self.is_open(path) {
            // Nothing was in it.
            self.start(&FileStart { path, from: 0, head: content.head, content: Some(&content) })?;
        }
        match self.open.take() {
            Some(open) => self.note(&open, content),
            None => Ok(()),
        }
    }
}

impl Sink for Recorder<'_, '_> {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        if self.origin.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &finding.origin)) {
            self.turn(&finding.origin)?;
        }
        let new = match self.open.as_ref().map(|open| open.to) {
            Some(To::Copy) => return Ok(()),
            Some(To::Stream(stream)) => self.keep(stream, finding)?,
            Some(To::Next) | None => true,
        };
        self.done.findings += 1;
        self.done.new += u64::from(new);
        if !new && self.new_only {
            return Ok(());
        }
        self.done.summary.add(finding, self.source);
        self.done.summary.sample(finding);
        match &mut self.next {
            Some(next) => emit(&mut **next, finding),
            None => Ok(()),
        }
    }

    fn file_sink(&mut self) -> Option<&mut dyn FileSink> {
        Some(self)
    }
}
