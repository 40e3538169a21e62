//! Reading: what is unpacked, cut into windows and handed on to whoever matches them.
//!
//! A [`Reading`] is shown the sources of one outer file, or of a part of an archive. While it reads on, other workers
//! match what it has read; it matches itself where they are behind, or where there is little.

use super::archive::Members;
use super::board::{Batch, Chunk, Mark, Scanned, Turn};
use super::content;
use super::share::{Place, Share, Source};
use super::worker::{Shared, Worker};
use crate::error::SourceError;
use crate::input::limits::Budget;
use crate::input::{
    FileReader, OwnedWindow, PeekReader, STREAM_WINDOW_BYTES, Transcoder, Visitor, WindowReader,
};
use crate::matcher::record;
use crate::source::Origin;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

/// Below this many bytes windows are not worth another worker.
const WORTH_SHARING: usize = STREAM_WINDOW_BYTES / 4;
/// How many windows go to another worker at once, at most.
const MAX_BATCH: usize = 512;
/// How many findings a chunk gathers before it is handed in.
const MAX_CHUNK: usize = 1_000;

/// The open end of a part: what was found in it, numbered in its order.
pub(super) struct Lane {
    pub place: Place,
    /// How many chunks it has had.
    pub chunks: usize,
    chunk: Chunk,
    findings: usize,
}

impl Lane {
    pub fn new(place: Place) -> Lane {
        Lane { place, chunks: 0, chunk: Chunk::default(), findings: 0 }
    }

    /// Takes in what was found in the next window.
    pub fn push(&mut self, shared: &Shared<'_, '_>, scanned: Scanned) {
        self.findings += scanned.weight();
        self.chunk.scanned.push(scanned);
        if self.findings >= MAX_CHUNK || self.chunk.scanned.len() >= MAX_CHUNK {
            self.flush(shared);
        }
    }

    /// Says that `source` is an archive of these bytes.
    pub fn archive(&mut self, shared: &Shared<'_, '_>, source: &Source, bytes: FileReader<'_>) {
        let (origin, content) = (source.origin.clone(), content::archive(bytes));
        self.push(shared, Scanned::mark(source, Mark::Archive { origin, content }));
    }

    /// Says that the outer file `source` is done, where that is asked for.
    pub fn end(&mut self, shared: &Shared<'_, '_>, source: &Source, plain: bool) {
        if shared.options.identify {
            let mark = Mark::End { origin: source.origin.clone(), plain };
            self.push(shared, Scanned::mark(source, mark));
        }
    }

    /// Adds a share that counts when the part does.
    fn add(&mut self, share: Share) {
        self.chunk.share = Some(Box::new(share));
    }

    /// Hands in what has been gathered.
    pub fn flush(&mut self, shared: &Shared<'_, '_>) {
        if self.chunk.scanned.is_empty() && self.chunk.share.is_none() {
            return;
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.findings = 0;
        shared.board.submit(self.place, self.chunks, chunk);
        self.chunks += 1;
    }

    /// The number of the next chunk, which somebody else hands in.
    fn skip(&mut self, shared: &Shared<'_, '_>) -> usize {
        self.flush(shared);
        self.chunks += 1;
        self.chunks - 1
    }
}

/// The sources of one outer file, or of a part of one, on their way to the matcher.
pub(super) struct Reading<'r, 'w, 's, 'k> {
    worker: &'r mut Worker<'w, 's, 'k>,
    lane: &'r mut Lane,
    path: &'r Path,
    budget: Rc<Budget>,
    part: Option<Part<'r, 's>>,
    share: Share,
    windows: Vec<(Source, OwnedWindow)>,
    /// How much memory `windows` hold, in bytes.
    waiting: usize,
    /// Archives that have a problem of their own, by their names.
    containers: HashMap<Option<String>, Source>,
    /// The source that is being read.
    open: Option<Source>,
    /// The file's only source, if it is no archive: its own problem says all.
    single: Option<Source>,
    /// The file's own bytes, until it is told what they are.
    raw: Option<FileReader<'static>>,
}

/// A part of an archive while it is read.
struct Part<'r, 's> {
    members: &'r Members<'s>,
    /// Whether it is done ahead of its turn.
    held: bool,
    /// Whether it took more than there was.
    over: bool,
}

impl<'r, 'w, 's, 'k> Reading<'r, 'w, 's, 'k> {
    /// Reads an outer file called `path`.
    pub fn new(
        worker: &'r mut Worker<'w, 's, 'k>,
        lane: &'r mut Lane,
        path: &'r Path,
        budget: Rc<Budget>,
    ) -> Reading<'r, 'w, 's, 'k> {
        Reading {
            worker,
            lane,
            path,
            budget,
            part: None,
            share: Share::default(),
            windows: Vec::new(),
            waiting: 0,
            containers: HashMap::new(),
            open: None,
            single: None,
            raw: None,
        }
    }

    /// Tells what the file is by its own bytes, if it is an archive.
    pub fn identified(mut self, raw: Option<FileReader<'static>>) -> Reading<'r, 'w, 's, 'k> {
        self.raw = raw;
        self
    }

    /// Reads a part of an archive, ahead of its turn if it is `held`.
    pub fn part(mut self, members: &'r Members<'s>, held: bool) -> Reading<'r, 'w, 's, 'k> {
        self.part = Some(Part { members, held, over: false });
        self.containers.insert(None, members.zip.container.clone());
        self
    }

    /// Matches what is left. Whether a part has to be done again with what is left of the allowance.
    pub fn finish(mut self) -> bool {
        if self.worker.shared.progress.stopped() && self.single.is_none() {
            self.damaged(None, SourceError::Interrupted { offset: 0 });
        }
        if self.waiting >= WORTH_SHARING {
            self.offer();
        } else {
            for (source, cut) in std::mem::take(&mut self.windows) {
                let scanned = self.worker.shared.scan(&mut self.share, &source, &cut.window());
                self.lane.push(self.worker.shared, scanned);
                self.worker.shared.board.give_back(cut.bytes);
            }
        }
        match &self.single {
            Some(source) => self.lane.end(self.worker.shared, source, false),
            None => self.archive(),
        }
        let over = self.part.as_ref().is_some_and(|part| part.over);
        if self.part.is_some() {
            self.lane.add(self.share);
            self.lane.flush(self.worker.shared);
        } else {
            self.worker.share.merge(self.share);
        }
        over
    }

    /// Notes that unpacking has panicked: the source that was open is not read whole, and what came behind it not at all.
    pub fn panicked(&mut self) {
        if let Some(source) = self.open.take() {
            self.share.broken(&source, &SourceError::Panic);
        }
        self.damaged(None, SourceError::Panic);
    }

    fn push(&mut self, source: &Source, cut: OwnedWindow) {
        self.waiting += cut.bytes.capacity();
        self.windows.push((source.clone(), cut));
        if self.waiting >= STREAM_WINDOW_BYTES || self.windows.len() >= MAX_BATCH {
            self.offer();
        }
    }

    /// Hands the windows on, and helps where others are behind.
    fn offer(&mut self) {
        if !self.windows.is_empty() {
            let windows = std::mem::take(&mut self.windows);
            self.waiting = 0;
            let (place, number) = (self.lane.place, self.lane.skip(self.worker.shared));
            self.worker.shared.board.offer(Batch { place, number, held: self.part.is_some(), windows });
        }
        while let Some(job) = self.worker.shared.board.relieve(self.lane.place) {
            self.worker.job(job);
        }
        let Some(part) = self.part.as_mut().filter(|part| part.held) else { return };
        match self.worker.shared.board.turn(part.members, self.budget.taken()) {
            Turn::Held => {}
            Turn::Exact(left) => {
                part.held = false;
                self.budget.set_left(left);
            }
            Turn::Over => part.over = true,
        }
    }

    /// Says that the file is an archive, once.
    fn archive(&mut self) {
        if let Some(raw) = self.raw.take() {
            let source = self.named(None);
            self.lane.archive(self.worker.shared, &source, raw);
        }
    }

    fn named(&self, member: Option<&str>) -> Source {
        let origin = Origin { path: self.path.to_path_buf(), member: member.map(str::to_string) };
        self.worker.shared.sources.add(origin)
    }
}

impl Visitor for Reading<'_, '_, '_, '_> {
    fn source(&mut self, member: Option<&str>, reader: PeekReader<'_>) {
        let source = self.named(member);
        match member {
            Some(_) => self.archive(),
            None => self.single = Some(source.clone()),
        }
        self.worker.shared.progress.reads(&source.origin);
        self.share.sources += 1;
        self.open = Some(source.clone());
        let mut reader = Transcoder::new(reader);
        let core = self.worker.shared.options.core(STREAM_WINDOW_BYTES);
        let mut cutter = WindowReader::new(&mut reader, core, record::MARGIN);
        let mut offset = 0;
        while !self.stopped()
            && let Some(cut) = cutter.next(self.worker.shared.board.spare())
        {
            let window = cut.window();
            offset = window.base + window.core.end as u64;
            self.push(&source, cut);
        }
        if self.worker.shared.progress.stopped() {
            self.share.broken(&source, &SourceError::Interrupted { offset });
        } else if let Err(error) = cutter.finish() {
            self.share.broken(&source, &error);
        }
        self.open = None;
    }

    fn unread(&mut self, member: Option<&str>, problem: SourceError) {
        let input = self.named(member);
        self.share.unread(&input, &problem);
    }

    fn damaged(&mut self, member: Option<&str>, problem: SourceError) {
        let known = self.containers.get(&member.map(str::to_string)).cloned();
        let container = known.unwrap_or_else(|| {
            let new = self.named(member);
            self.containers.insert(member.map(str::to_string), new.clone());
            new
        });
        self.share.damaged(&container, &problem);
    }

    fn stopped(&self) -> bool {
        let shared = self.worker.shared;
        self.part.as_ref().is_some_and(|part| part.over)
            || shared.board.stopped()
            || shared.progress.stopped()
    }
}
