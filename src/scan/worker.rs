//! Workers: one thread's share of a scan.
//!
//! A worker takes jobs from the board, opens what they name, shows the matcher windows and counts what is found. An input
//! that cannot be read, or that makes the program panic, is a problem of that input alone.

use super::archive::{Members, Zip};
use super::board::{Batch, Board, Chunk, Job, Mark, Scanned};
use super::content::Hashed;
use super::reading::{Lane, Reading};
use super::rows::Rows;
use super::share::{Place, Share, Source, Sources};
use super::tasks::{SMALL_FILE, Task};
use super::{Encode, Options, Progress, WINDOW_BYTES};
use crate::context::{ContextLinesReader, ContextReader};
use crate::error::SourceError;
use crate::finding::{Builder, Sanitizer};
use crate::input::interruptible::{self, InterruptibleReader};
use crate::input::limits::{Budget, CountingReader};
use crate::input::{
    ContainerFormat, FileReader, Input, InputKind, MAX_WHOLE_BYTES, OpenFile, PeekReader, Position, Unpacker,
    Window,
};
use crate::matcher::{Matcher, What, record, wording::Grade};
use crate::source::Origin;
use crate::summary::MAX_SAMPLES;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What all workers see.
pub(super) struct Shared<'s, 'k> {
    pub matcher: &'s Matcher,
    pub options: &'s Options,
    pub progress: &'s Progress,
    pub sources: &'s Sources,
    /// Whether every finding is wanted in order, not only samples.
    pub every: bool,
    /// How findings become rows, where rows are wanted.
    pub encode: Option<Encode>,
    pub board: Board<'s, 'k>,
}

pub(super) struct Worker<'w, 's, 'k> {
    pub shared: &'w Shared<'s, 'k>,
    pub share: Share,
    buffer: Vec<u8>,
}

/// Takes jobs until there are none.
pub(super) fn run(shared: &Shared<'_, '_>) -> Share {
    let mut worker = Worker { shared, share: Share::default(), buffer: Vec::new() };
    while let Some(job) = shared.board.next() {
        worker.job(job);
        shared.board.done();
    }
    worker.share
}

impl<'s> Worker<'_, 's, '_> {
    pub fn job(&mut self, job: Job<'s>) {
        match job {
            Job::Task(number, task) => self.task(number, task),
            Job::Windows(batch) => self.batch(batch),
            Job::Members(members) => self.members(&members),
        }
    }

    fn task(&mut self, number: usize, task: Task) {
        let place = Place { task: number, part: 0 };
        let mut lane = Lane::new(place);
        let mut more = Vec::new();
        match task {
            Task::Inputs(inputs) => {
                let alone = inputs.len() == 1;
                for input in &inputs {
                    if self.shared.progress.stopped() {
                        self.ended(&input.path, Err(SourceError::Interrupted { offset: 0 }));
                        continue;
                    }
                    let result =
                        catch_unwind(AssertUnwindSafe(|| self.input(&mut lane, input, alone, &mut more)));
                    self.ended(&input.path, result.unwrap_or(Err(SourceError::Panic)));
                    self.shared.progress.inputs.fetch_add(1, Ordering::Relaxed);
                }
            }
            Task::Window { source, file, core } => {
                let last = core.end == file.bytes;
                self.share.sources += u64::from(core.start == source.from.map_or(0, |from| from.offset));
                self.shared.progress.reads(&source.origin);
                let offset = core.start;
                let result = if self.shared.progress.stopped() {
                    Ok(Err(SourceError::Interrupted { offset }))
                } else {
                    catch_unwind(AssertUnwindSafe(|| self.window(&mut lane, &source, &file, core)))
                };
                if let Err(error) = result.unwrap_or(Err(SourceError::Panic)) {
                    self.share.broken(&source, &error);
                }
                if last {
                    lane.end(self.shared, &source, true);
                }
                self.shared.progress.inputs.fetch_add(u64::from(last), Ordering::Relaxed);
            }
            Task::Failed { path, error } => self.ended(&path, Err(error)),
        }
        lane.flush(self.shared);
        self.shared.board.close(lane.place, lane.chunks);
        self.shared.board.end(number, 1 + more.len());
        self.shared.board.offer_members(more);
    }

    /// Notes how an input ended that could not be opened.
    fn ended(&mut self, path: &Path, result: Result<(), SourceError>) {
        if let Err(error) = result {
            let source = self.shared.sources.add(Origin::path(path));
            self.share.unread(&source, &error);
        }
    }

    /// Reads an input; parts of it that workers are to share come into `more`.
    fn input(
        &mut self,
        lane: &mut Lane,
        input: &Input,
        alone: bool,
        more: &mut Vec<Members<'s>>,
    ) -> Result<(), SourceError> {
        match input.kind {
            InputKind::Stdin => {
                let stdin = interruptible::stdin(&self.shared.progress.stop).map_err(SourceError::Open)?;
                self.stream(lane, input, stdin);
            }
            InputKind::Stream => {
                let file = std::fs::File::open(&input.path).map_err(SourceError::Open)?;
                self.stream(lane, input, InterruptibleReader::new(file, &self.shared.progress.stop));
            }
            InputKind::File { .. } => {
                let file = OpenFile::open_input(input, self.shared.options.mmap, &mut self.buffer)?;
                match file.format {
                    // Files of `/proc` and the like have no length and yet content.
                    _ if file.bytes == 0 => self.stream(lane, input, file.unbounded_reader()),
                    _ if file.plain => self.file(lane, &file, &input.path),
                    Some(ContainerFormat::Zip)
                        if alone && self.shared.options.limits.nesting > 0 && file.bytes > SMALL_FILE =>
                    {
                        self.zip(lane, &file, input, more);
                    }
                    format => {
                        let part = file.reader(Some(&self.shared.progress.read));
                        let budget = Budget::new(self.shared.options.limits.allowance(file.bytes));
                        let raw = self.shared.options.identify.then(|| file.reader(None));
                        self.unpack(lane, input, budget, raw, |unpacker, place| match format {
                            Some(ContainerFormat::Zip) if unpacker.limits.nesting > 0 => {
                                unpacker.zip(place, part, file.bytes)
                            }
                            _ => unpacker.unpack(place, PeekReader::new(part)),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads from begin to end what has no size that is known before.
    fn stream(&mut self, lane: &mut Lane, input: &Input, reader: impl Read) {
        let budget = Budget::growing(&self.shared.options.limits);
        self.unpack(lane, input, budget, None, |unpacker, place| {
            let fed = CountingReader::new(reader, unpacker.budget.clone());
            unpacker.unpack(place, PeekReader::new(fed));
        });
    }

    fn unpack(
        &mut self,
        lane: &mut Lane,
        input: &Input,
        budget: Budget,
        raw: Option<FileReader<'static>>,
        unpack: impl FnOnce(&mut Unpacker<'_>, Position<'_>),
    ) {
        let options = self.shared.options;
        let budget = Rc::new(budget);
        let mut reading = Reading::new(self, lane, &input.path, budget.clone()).identified(raw);
        let place = Position::outer(&options.limits, input.found_by, input.selection);
        let mut unpacker =
            Unpacker { limits: &options.limits, globs: &options.globs, budget, visitor: &mut reading };
        let result = catch_unwind(AssertUnwindSafe(|| unpack(&mut unpacker, place)));
        if result.is_err() {
            reading.panicked();
        }
        reading.finish();
    }

    /// Cuts a large zip archive into parts behind `place`.
    fn zip(&mut self, lane: &mut Lane, file: &OpenFile, input: &Input, more: &mut Vec<Members<'s>>) {
        let (limits, count) = (&self.shared.options.limits, &self.shared.progress.read);
        let (place, container) = (lane.place, self.shared.sources.add(Origin::path(&input.path)));
        if self.shared.options.identify {
            lane.archive(self.shared, &container, file.reader(None));
        }
        let (zip, problem) = Zip::open(container, file, input.selection, limits, count);
        if let Some(problem) = problem {
            self.share.damaged(&zip.container, &problem);
        }
        more.extend(zip.parts(Place { part: place.part + 1, ..place }));
    }

    /// Reads a part of an archive.
    fn members(&mut self, members: &Members<'s>) {
        let options = self.shared.options;
        let (left, held) = self.shared.board.begin(members);
        let budget = Rc::new(Budget::new(left));
        let mut lane = Lane::new(members.place);
        let path = &members.zip.container.origin.path;
        let mut reading = Reading::new(self, &mut lane, path, budget.clone()).part(members, held);
        let mut unpacker = Unpacker {
            limits: &options.limits,
            globs: &options.globs,
            budget: budget.clone(),
            visitor: &mut reading,
        };
        if catch_unwind(AssertUnwindSafe(|| members.unpack(&mut unpacker))).is_err() {
            reading.panicked();
        }
        let over = reading.finish();
        self.shared.board.close_members(members, lane.chunks, budget.taken(), over || budget.exceeded());
    }

    /// Matches windows that were read.
    fn batch(&mut self, batch: Batch) {
        let mut chunk = Chunk::default();
        let mut share = Share::default();
        for (source, cut) in batch.windows {
            chunk.scanned.push(self.shared.scan(&mut share, &source, &cut.window()));
            self.shared.board.give_back(cut.bytes);
        }
        if batch.held {
            chunk.share = Some(Box::new(share));
        } else {
            self.share.merge(share);
        }
        self.shared.board.submit(batch.place, batch.number, chunk);
    }

    fn file(&mut self, lane: &mut Lane, file: &OpenFile, path: &Path) {
        let source = self.shared.sources.add(Origin::path(path));
        self.shared.progress.reads(&source.origin);
        self.share.sources += 1;
        let result = if file.bytes <= MAX_WHOLE_BYTES {
            self.document(lane, &source, file)
        } else {
            // It has grown since the walk.
            let step = self.core_bytes() as u64;
            let mut cores =
                (0..file.bytes).step_by(step as usize).map(|from| from..file.bytes.min(from + step));
            cores.try_for_each(|core| self.window(lane, &source, file, core))
        };
        if let Err(error) = result {
            self.share.broken(&source, &error);
        }
        lane.end(self.shared, &source, true);
    }

    fn core_bytes(&self) -> usize {
        self.shared.options.core(WINDOW_BYTES)
    }

    /// Scans a file that is held whole.
    fn document(&mut self, lane: &mut Lane, source: &Source, file: &OpenFile) -> Result<(), SourceError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = file.whole(&mut buffer)?;
        let step = self.shared.options.core(bytes.len());
        let cores = (0..bytes.len()).step_by(step).map(|from| from..bytes.len().min(from + step));
        let window = |core| Window { bytes: &bytes, base: 0, core, whole: Some(&bytes) };
        let scanned: Vec<Scanned> = cores.map(|core| self.matched(source, &window(core))).collect();
        let still = file.check_unchanged(&bytes, 0, file.bytes);
        scanned.into_iter().for_each(|scanned| lane.push(self.shared, scanned.sound(&still)));
        drop(bytes);
        self.buffer = buffer;
        still
    }

    /// Scans a window of a large file.
    fn window(
        &mut self,
        lane: &mut Lane,
        source: &Source,
        file: &OpenFile,
        core: Range<u64>,
    ) -> Result<(), SourceError> {
        let from = core.start.saturating_sub(record::MARGIN as u64);
        let to = file.bytes.min(core.end + record::MARGIN as u64);
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = file.range(from..to, &mut buffer)?;
        let got = bytes.len() as u64;
        let end = (core.end - from).min(got) as usize;
        let core = ((core.start - from) as usize).min(end)..end;
        let scanned = self.matched(source, &Window { bytes: &bytes, base: from, core, whole: None });
        let still = file.check_unchanged(&bytes, from, to - from);
        lane.push(self.shared, scanned.sound(&still));
        drop(bytes);
        self.buffer = buffer;
        still
    }

    /// Scans a window of a file whose bytes are the source's own.
    fn matched(&mut self, source: &Source, window: &Window<'_>) -> Scanned {
        let scanned = self.shared.scan(&mut self.share, source, window);
        self.shared.progress.read.fetch_add(window.core.len() as u64, Ordering::Relaxed);
        scanned
    }
}

impl Shared<'_, '_> {
    /// Scans a window: counts what it finds and gives what is wanted in order. A panic is the source's problem.
    pub fn scan(&self, share: &mut Share, source: &Source, window: &Window<'_>) -> Scanned {
        let result = catch_unwind(AssertUnwindSafe(|| self.find(share, source, window)));
        result.unwrap_or_else(|_| {
            share.broken(source, &SourceError::Panic);
            Scanned::nothing(source)
        })
    }

    fn find(&self, share: &mut Share, source: &Source, window: &Window<'_>) -> Scanned {
        let redactor = self.options.redactor.as_deref();
        let origin =
            redactor.map_or_else(|| source.origin.clone(), |known| Arc::new(known.origin(&source.origin)));
        let builder = Builder { matcher: self.matcher, origin };
        let mut sanitizer = Sanitizer::new(redactor);
        let reader = ContextReader::new(window, &self.options.timezone);
        let lines = self.options.context_lines;
        let mut context_lines = ContextLinesReader::new(window.bytes, lines);
        let (mut findings, mut rows) = (Vec::new(), Rows::default());
        let (mut line, mut counted) = (1, window.core.start);
        let (matches, breaks) = self.matcher.scan_lines(window);
        let mut samples = Samples::new(if matches.is_empty() { 0 } else { self.matcher.entries.len() });
        for found in matches {
            line += breaks.between(window.bytes, counted, found.range.start);
            counted = found.range.start;
            let (what, range) = (found.what, found.range.clone());
            let mut finding = builder.without_text(found, window, &reader, line);
            if !self.options.filter.accepts(&finding) {
                continue;
            }
            let kept = samples.take(what) || self.every;
            let shown = kept || self.encode.is_some();
            // Drifted texts are compared with each other.
            if shown || finding.wording == Grade::Drifted {
                finding.load_text(&range, window, &reader);
            }
            if shown && lines > 0 {
                finding.context_lines = Some(Box::new(context_lines.read(&range)));
            }
            sanitizer.sanitize(&mut finding, builder.entry(what));
            share.summary.add(&finding, source.number);
            if let Some(encode) = self.encode {
                rows.push(&finding, encode);
            }
            if kept {
                findings.push(finding);
            }
        }
        // Behind the only window of a source nobody asks.
        let rest = if window.is_only() { 0 } else { breaks.between(window.bytes, counted, window.core.end) };
        let lines = line - 1 + rest;
        share.bytes += window.core.len() as u64;
        self.progress.bytes.fetch_add(window.core.len() as u64, Ordering::Relaxed);
        let outer = self.options.identify && source.origin.member.is_none();
        let mark =
            outer.then(|| Box::new(Mark::Window { source: source.clone(), hashed: Hashed::new(window) }));
        Scanned { source: source.number, findings, rows, lines, mark }
    }
}

/// How many findings of each sort a window has had.
struct Samples {
    entries: Vec<usize>,
    unknown: BTreeMap<u32, usize>,
}

impl Samples {
    fn new(entries: usize) -> Samples {
        Samples { entries: vec![0; entries], unknown: BTreeMap::new() }
    }

    /// Whether one more may be among those that are shown.
    fn take(&mut self, what: What) -> bool {
        let count = match what {
            What::Entry(index) => &mut self.entries[index],
            What::Unknown(code) => self.unknown.entry(code).or_default(),
        };
        *count += 1;
        *count <= MAX_SAMPLES
    }
}
