//! The visitor of the unpacker: cuts decoded sources into windows and passes them on to be matched.
//!
//! [`ScanVisitor`] is shown the sources of one outer file, or of one part of an archive. Windows go out in
//! batches; totals and problems go to the caller. How a source is decoded is not known here.
//!
//! Decoding is sequential: one stream keeps one worker busy. But matching is not, so the windows of a stream
//! are shared. The visitor reads on while other workers match what it has read. If they are too slow, it
//! matches windows itself: the scheduler's `wait_or_help` hands it jobs until the queue is short again. With
//! a single worker, that is after every batch.
//!
//! ```text
//! reader of app.log.gz   [w0 w1 w2 w3] [w4 w5 w6 w7] [w8 …          help: matches w4…w7   reads on
//! another worker                        match w0…w3
//! chunk numbers           0             1             2             each batch is one chunk, whoever submits it
//! ```
//!
//! Sources of an archive are often tiny. Their windows are gathered into one batch, and a remainder too small
//! to be worth another worker is matched at the end by the visitor itself.

use super::chunk::WindowOutput;
use super::content::ReadAs;
use super::numbering::Source;
use super::part_output::PartOutput;
use super::scheduler::{Admission, Certainty, Job, WindowBatch};
use super::shared::Shared;
use super::totals::WorkerTotals;
use super::zip_parts::ZipPart;
use crate::error::SourceError;
use crate::input::limits::Budget;
use crate::input::{
    FileReader, OwnedWindow, PeekReader, STREAM_WINDOW_BYTES, Transcoder, Visitor, WindowReader,
};
use crate::matcher::bounds;
use crate::source::Origin;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

/// Fewer bytes of windows than this are not worth another worker.
const WORTH_SHARING: usize = STREAM_WINDOW_BYTES / 4;
/// The most windows in a batch.
const MAX_BATCH: usize = 512;

/// Scans the sources of one outer file, or of a part of one, as they are unpacked.
pub(super) struct ScanVisitor<'r, 's, 'k> {
    shared: &'r Shared<'s, 'k>,
    /// Does a job for the others while this worker cannot read on.
    help: &'r mut dyn FnMut(Job<'s>),
    output: &'r mut PartOutput,
    path: &'r Path,
    budget: Rc<Budget>,
    zip_part: Option<ZipPartRun<'r, 's>>,
    totals: WorkerTotals,
    /// Windows of the next batch.
    windows: Vec<(Source, OwnedWindow)>,
    /// How much memory `windows` hold, in bytes.
    window_bytes: usize,
    /// Archives with a problem of their own, by member name.
    containers: HashMap<Option<String>, Source>,
    /// The source that is being read.
    open: Option<Source>,
    /// The file's only source, if it is no archive; then the source's problem is the file's.
    single: Option<Source>,
    /// The file's own bytes, until they are identified as an archive.
    raw: Option<FileReader<'static>>,
}

/// A part of an archive while it is read.
struct ZipPartRun<'r, 's> {
    part: &'r ZipPart<'s>,
    state: RunState,
}

/// Whether what a part finds counts: see `scheduler`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RunState {
    /// It was started before its turn.
    Speculative,
    /// Its allowance is exact.
    Admitted,
    /// It took more than was left, and is done again.
    Rejected,
}

/// What a visitor returns at its end.
pub(super) struct Visited {
    pub totals: WorkerTotals,
    /// Whether it was a part of an archive that took more than was left.
    pub rejected: bool,
}

impl<'r, 's, 'k> ScanVisitor<'r, 's, 'k> {
    /// Returns a visitor for the outer file at `path`.
    pub fn new(
        shared: &'r Shared<'s, 'k>,
        help: &'r mut dyn FnMut(Job<'s>),
        output: &'r mut PartOutput,
        path: &'r Path,
        budget: Rc<Budget>,
    ) -> ScanVisitor<'r, 's, 'k> {
        ScanVisitor {
            shared,
            help,
            output,
            path,
            budget,
            zip_part: None,
            totals: WorkerTotals::default(),
            windows: Vec::new(),
            window_bytes: 0,
            containers: HashMap::new(),
            open: None,
            single: None,
            raw: None,
        }
    }

    /// Identifies the file by its own bytes `raw`, if it turns out to be an archive.
    pub fn identified(mut self, raw: Option<FileReader<'static>>) -> ScanVisitor<'r, 's, 'k> {
        self.raw = raw;
        self
    }

    /// Makes this the visitor of a part of an archive.
    pub fn of_part(mut self, part: &'r ZipPart<'s>, certainty: Certainty) -> ScanVisitor<'r, 's, 'k> {
        let state = match certainty {
            Certainty::Exact => RunState::Admitted,
            Certainty::Speculative => RunState::Speculative,
        };
        self.zip_part = Some(ZipPartRun { part, state });
        self.containers.insert(None, part.zip.container.clone());
        self
    }

    /// Matches the windows that are left, and ends the file.
    pub fn finish(mut self) -> Visited {
        if self.shared.progress.stopped() && self.single.is_none() {
            self.damaged(None, SourceError::Interrupted { offset: 0 });
        }
        if self.window_bytes >= WORTH_SHARING {
            self.queue_batch();
        } else {
            self.match_windows();
        }
        match &self.single {
            Some(source) => self.output.end(self.shared, source, ReadAs::Decoded),
            None => self.archive(),
        }
        let rejected = self.zip_part.as_ref().is_some_and(|run| run.state == RunState::Rejected);
        Visited { totals: self.totals, rejected }
    }

    /// Records that unpacking panicked: the open source is not read whole, and what follows it is not read at
    /// all.
    pub fn panicked(&mut self) {
        if let Some(source) = self.open.take() {
            self.totals.broken(&source, &SourceError::Panic);
        }
        self.damaged(None, SourceError::Panic);
    }

    fn push(&mut self, source: &Source, cut: OwnedWindow) {
        self.window_bytes += cut.bytes.capacity();
        self.windows.push((source.clone(), cut));
        if self.window_bytes >= STREAM_WINDOW_BYTES || self.windows.len() >= MAX_BATCH {
            self.queue_batch();
        }
    }

    fn match_windows(&mut self) {
        for (source, cut) in std::mem::take(&mut self.windows) {
            let output: WindowOutput = self.shared.scan(&mut self.totals, &source, &cut.window());
            self.output.push(self.shared, output);
            self.shared.scheduler.return_buffer(cut.bytes);
        }
    }

    /// Queues the windows for other workers, helps while there is too much to do, and asks whether a
    /// speculative part may go on.
    fn queue_batch(&mut self) {
        let scheduler = &self.shared.scheduler;
        if !self.windows.is_empty() {
            let windows = std::mem::take(&mut self.windows);
            self.window_bytes = 0;
            let (part_id, chunk) = (self.output.part_id, self.output.reserve_chunk(self.shared));
            let totals_in_chunk = self.zip_part.is_some();
            scheduler.queue_windows(WindowBatch { part_id, chunk, totals_in_chunk, windows });
        }
        while let Some(job) = scheduler.wait_or_help(self.output.part_id) {
            (self.help)(job);
        }
        let Some(run) = self.zip_part.as_mut().filter(|run| run.state == RunState::Speculative) else {
            return;
        };
        match scheduler.admission(run.part, self.budget.taken()) {
            Admission::Undecided => {}
            Admission::Admitted(left) => {
                run.state = RunState::Admitted;
                self.budget.set_left(left);
            }
            Admission::Rejected => run.state = RunState::Rejected,
        }
    }

    /// Identifies the file as an archive, once.
    fn archive(&mut self) {
        if let Some(raw) = self.raw.take() {
            let source = self.named(None);
            self.output.archive(self.shared, &source, raw);
        }
    }

    /// Whether nobody will see what is found.
    fn is_in_vain(&self) -> bool {
        self.zip_part.as_ref().is_some_and(|run| run.state == RunState::Rejected)
            || self.shared.scheduler.stopped()
    }

    fn named(&self, member: Option<&str>) -> Source {
        let origin = Origin { path: self.path.to_path_buf(), member: member.map(str::to_string) };
        self.shared.sources.add(origin)
    }
}

impl Visitor for ScanVisitor<'_, '_, '_> {
    fn source(&mut self, member: Option<&str>, reader: PeekReader<'_>) {
        let source = self.named(member);
        match member {
            Some(_) => self.archive(),
            None => self.single = Some(source.clone()),
        }
        self.shared.progress.set_current(&source.origin);
        self.totals.sources += 1;
        self.open = Some(source.clone());
        let mut reader = Transcoder::new(reader);
        let core = self.shared.options.core_bytes(STREAM_WINDOW_BYTES);
        let mut cutter = WindowReader::new(&mut reader, core, bounds::MARGIN);
        let mut offset = 0;
        while !self.is_in_vain()
            && let Some(cut) = cutter.next(self.shared.scheduler.take_buffer())
        {
            let window = cut.window();
            offset = window.base + window.core.end as u64;
            self.push(&source, cut);
            // Not before: a stream that is interrupted while its format is recognised has bytes that count.
            if self.shared.progress.stopped() {
                break;
            }
        }
        if self.shared.progress.stopped() {
            self.totals.broken(&source, &SourceError::Interrupted { offset });
        } else if let Err(error) = cutter.finish() {
            self.totals.broken(&source, &error);
        }
        self.open = None;
    }

    fn unread(&mut self, member: Option<&str>, problem: SourceError) {
        let input = self.named(member);
        self.totals.unread(&input, &problem);
    }

    fn damaged(&mut self, member: Option<&str>, problem: SourceError) {
        let known = self.containers.get(&member.map(str::to_string)).cloned();
        let container = known.unwrap_or_else(|| {
            let new = self.named(member);
            self.containers.insert(member.map(str::to_string), new.clone());
            new
        });
        self.totals.damaged(&container, &problem);
    }

    fn stopped(&self) -> bool {
        self.is_in_vain() || self.shared.progress.stopped()
    }
}
