//! A worker: one thread of a scan.
//!
//! Jobs come in from the scheduler; chunks of output go back to it, and at the end the worker's totals go
//! out. An input that cannot be read, or that makes the program panic, is a problem of that input alone. In
//! which order jobs come, and where their output goes, is not known here.

use super::WINDOW_BYTES;
use super::chunk::{Chunk, WindowOutput};
use super::content::ReadAs;
use super::numbering::{PartId, Source};
use super::part_output::PartOutput;
use super::scheduler::{Job, LimitMet, WindowBatch};
use super::shared::Shared;
use super::tasks::{SMALL_FILE, Task};
use super::totals::WorkerTotals;
use super::visitor::ScanVisitor;
use super::zip_parts::{ZipArchive, ZipPart};
use crate::error::SourceError;
use crate::input::archive::zip::ZipFile;
use crate::input::limits::{Budget, CountingReader};
use crate::input::{
    Access, ContainerFormat, FileReader, Input, InputKind, InterruptibleReader, MAX_WHOLE_BYTES, OpenFile,
    PeekReader, Position, Unpacker, Window,
};
use crate::matcher::bounds;
use crate::source::Origin;
use std::io::Read;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

struct Worker<'w, 's, 'k> {
    shared: &'w Shared<'s, 'k>,
    totals: WorkerTotals,
    /// Memory for files that are read, not mapped.
    buffer: Vec<u8>,
}

/// Does jobs until there are none. Returns the totals.
pub(super) fn run(shared: &Shared<'_, '_>) -> WorkerTotals {
    let mut worker = Worker { shared, totals: WorkerTotals::default(), buffer: Vec::new() };
    while let Some(job) = shared.scheduler.next() {
        worker.job(job);
        shared.scheduler.finish_job();
    }
    worker.totals
}

/// An outer file that is unpacked.
struct Unpacked<'i> {
    input: &'i Input,
    budget: Budget,
    /// Its own bytes, if it is to be identified by them in case it is an archive.
    raw: Option<FileReader<'static>>,
}

impl<'s> Worker<'_, 's, '_> {
    fn job(&mut self, job: Job<'s>) {
        match job {
            Job::Task(number, task) => self.task(number, task),
            Job::Windows(batch) => self.windows(batch),
            Job::ZipPart(part) => self.zip_part(&part),
        }
    }

    fn task(&mut self, number: usize, task: Task) {
        let mut output = PartOutput::new(PartId { task: number, part: 0 });
        let mut parts = Vec::new();
        match task {
            Task::Inputs(inputs) => self.inputs(&mut output, &inputs, &mut parts),
            Task::Window { source, file, core } => self.window_task(&mut output, &source, &file, core),
            Task::Failed { path, error } => self.ended(&path, Err(error)),
        }
        output.flush(self.shared);
        self.shared.scheduler.close(output.part_id, output.chunks);
        self.shared.scheduler.end_task(number, 1 + parts.len());
        self.shared.scheduler.queue_zip_parts(parts);
    }

    fn inputs(&mut self, output: &mut PartOutput, inputs: &[Input], parts: &mut Vec<ZipPart<'s>>) {
        for input in inputs {
            if self.shared.progress.stopped() {
                self.ended(&input.path, Err(SourceError::Interrupted { offset: 0 }));
                continue;
            }
            // Only an archive that is the only input of its task may be cut into parts.
            let parts = if inputs.len() == 1 { Some(&mut *parts) } else { None };
            let result = catch_unwind(AssertUnwindSafe(|| self.input(output, input, parts)));
            self.ended(&input.path, result.unwrap_or(Err(SourceError::Panic)));
            self.shared.progress.inputs.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn window_task(
        &mut self,
        output: &mut PartOutput,
        source: &Source,
        file: &Arc<OpenFile>,
        core: Range<u64>,
    ) {
        let first = core.start == source.from.map_or(0, |from| from.offset);
        let last = core.end == file.bytes;
        self.totals.sources += u64::from(first);
        self.shared.progress.set_current(&source.origin);
        let offset = core.start;
        let result = if self.shared.progress.stopped() {
            Ok(Err(SourceError::Interrupted { offset }))
        } else {
            catch_unwind(AssertUnwindSafe(|| self.window(output, source, file, core)))
        };
        if let Err(error) = result.unwrap_or(Err(SourceError::Panic)) {
            self.totals.broken(source, &error);
        }
        if last {
            output.end(self.shared, source, ReadAs::Plain);
        }
        self.shared.progress.inputs.fetch_add(u64::from(last), Ordering::Relaxed);
    }

    /// Records the error of an input that could not be opened.
    fn ended(&mut self, path: &Path, result: Result<(), SourceError>) {
        if let Err(error) = result {
            let source = self.shared.sources.add(Origin::path(path));
            self.totals.unread(&source, &error);
        }
    }

    /// Reads an input. A large zip archive is only opened, if there are `parts` to put its members into.
    fn input(
        &mut self,
        output: &mut PartOutput,
        input: &Input,
        parts: Option<&mut Vec<ZipPart<'s>>>,
    ) -> Result<(), SourceError> {
        match input.kind {
            InputKind::Stdin => {
                let stop = &self.shared.progress.stop;
                let stdin = InterruptibleReader::stdin(stop).map_err(SourceError::Open)?;
                self.stream(output, input, stdin);
            }
            InputKind::Stream => {
                let opened = InterruptibleReader::open(&input.path, &self.shared.progress.stop);
                let stream = opened.map_err(|error| match self.shared.progress.stopped() {
                    true => SourceError::Interrupted { offset: 0 },
                    false => SourceError::Open(error),
                })?;
                self.stream(output, input, stream);
            }
            InputKind::File { .. } => {
                let file = OpenFile::open_input(
                    input,
                    Access::mapped_if(self.shared.options.mmap),
                    self.shared.options.own_outputs,
                    &mut self.buffer,
                )?;
                self.opened(output, input, &file, parts);
            }
        }
        Ok(())
    }

    /// Reads a file as what its first bytes say that it is.
    fn opened(
        &mut self,
        output: &mut PartOutput,
        input: &Input,
        file: &OpenFile,
        parts: Option<&mut Vec<ZipPart<'s>>>,
    ) {
        let options = self.shared.options;
        let is_zip = file.format == Some(ContainerFormat::Zip) && options.limits.nesting > 0;
        if file.bytes == 0 {
            // Files of `/proc` and the like have no length and yet content.
            self.stream(output, input, file.unbounded_reader());
        } else if file.plain {
            self.file(output, file, &input.path);
        } else if let Some(parts) = parts.filter(|_| is_zip && file.bytes > SMALL_FILE) {
            parts.extend(self.zip(output, file, input));
        } else {
            let bytes = file.reader(Some(&self.shared.progress.read));
            let budget = Budget::new(options.limits.allowance(file.bytes));
            let raw = options.identify.then(|| file.reader(None));
            self.unpack(output, Unpacked { input, budget, raw }, |unpacker, place| {
                if is_zip {
                    unpacker.zip(place, &ZipFile::new(bytes, file.bytes));
                } else {
                    unpacker.unpack(place, PeekReader::new(bytes));
                }
            });
        }
    }

    /// Reads an input whose size is not known before it ends.
    fn stream(&mut self, output: &mut PartOutput, input: &Input, reader: impl Read) {
        let budget = Budget::growing(&self.shared.options.limits);
        self.unpack(output, Unpacked { input, budget, raw: None }, |unpacker, place| {
            let counting = CountingReader::new(reader, unpacker.budget.clone());
            unpacker.unpack(place, PeekReader::new(counting));
        });
    }

    fn unpack(
        &mut self,
        output: &mut PartOutput,
        file: Unpacked<'_>,
        unpack: impl FnOnce(&mut Unpacker<'_>, Position<'_>),
    ) {
        let (shared, options) = (self.shared, self.shared.options);
        let Unpacked { input, budget, raw } = file;
        let budget = Rc::new(budget);
        let mut help = |job| self.job(job);
        let mut visitor =
            ScanVisitor::new(shared, &mut help, output, &input.path, budget.clone()).identified(raw);
        let place = Position::outer(&options.limits, input.found_by, input.selection);
        let mut unpacker = Unpacker {
            limits: &options.limits,
            globs: &options.globs,
            own_outputs: options.own_outputs,
            budget,
            visitor: &mut visitor,
        };
        let result = catch_unwind(AssertUnwindSafe(|| unpack(&mut unpacker, place)));
        if result.is_err() {
            visitor.panicked();
        }
        let visited = visitor.finish();
        self.totals.merge(visited.totals);
    }

    /// Opens a large zip archive and cuts it into parts, which come after the part 0 that opens it.
    fn zip(&mut self, output: &mut PartOutput, file: &OpenFile, input: &Input) -> Vec<ZipPart<'s>> {
        let (limits, count) = (&self.shared.options.limits, &self.shared.progress.read);
        let (part_id, container) = (output.part_id, self.shared.sources.add(Origin::path(&input.path)));
        if self.shared.options.identify {
            output.archive(self.shared, &container, file.reader(None));
        }
        let (zip, problem) = ZipArchive::open(container, file, input.selection, limits, count);
        if let Some(problem) = problem {
            self.totals.damaged(&zip.container, &problem);
        }
        zip.parts(PartId { part: part_id.part + 1, ..part_id })
    }

    /// Unpacks a part of an archive.
    fn zip_part(&mut self, part: &ZipPart<'s>) {
        let (shared, options) = (self.shared, self.shared.options);
        let allowance = shared.scheduler.start_zip_part(part);
        let budget = Rc::new(Budget::new(allowance.left));
        let mut output = PartOutput::new(part.part_id);
        let path = &part.zip.container.origin.path;
        let mut help = |job| self.job(job);
        let mut visitor = ScanVisitor::new(shared, &mut help, &mut output, path, budget.clone())
            .of_part(part, allowance.certainty);
        let mut unpacker = Unpacker {
            limits: &options.limits,
            globs: &options.globs,
            own_outputs: options.own_outputs,
            budget: budget.clone(),
            visitor: &mut visitor,
        };
        if catch_unwind(AssertUnwindSafe(|| part.unpack(&mut unpacker))).is_err() {
            visitor.panicked();
        }
        let visited = visitor.finish();
        output.add_totals(visited.totals);
        output.flush(shared);
        let limit = if visited.rejected || budget.exceeded() { LimitMet::Yes } else { LimitMet::No };
        shared.scheduler.close_zip_part(part, output.chunks, budget.taken(), limit);
    }

    /// Matches windows that another worker has read.
    fn windows(&mut self, batch: WindowBatch) {
        let mut chunk = Chunk::default();
        let mut totals = WorkerTotals::default();
        for (source, cut) in batch.windows {
            chunk.windows.push(self.shared.scan(&mut totals, &source, &cut.window()));
            self.shared.scheduler.return_buffer(cut.bytes);
        }
        if batch.totals_in_chunk {
            chunk.totals = Some(Box::new(totals));
        } else {
            self.totals.merge(totals);
        }
        self.shared.scheduler.submit(batch.part_id, batch.chunk, chunk);
    }

    /// Scans a file whose bytes need no decoding.
    fn file(&mut self, output: &mut PartOutput, file: &OpenFile, path: &Path) {
        let source = self.shared.sources.add(Origin::path(path));
        self.shared.progress.set_current(&source.origin);
        self.totals.sources += 1;
        let result = if file.bytes <= MAX_WHOLE_BYTES {
            self.document(output, &source, file)
        } else {
            // It has grown since the walk; else it would have been cut into tasks.
            let step = self.shared.options.core_bytes(WINDOW_BYTES) as u64;
            let mut cores =
                (0..file.bytes).step_by(step as usize).map(|from| from..file.bytes.min(from + step));
            cores.try_for_each(|core| match self.shared.progress.stopped() {
                true => Err(SourceError::Interrupted { offset: core.start }),
                false => self.window(output, &source, file, core),
            })
        };
        if let Err(error) = result {
            self.totals.broken(&source, &error);
        }
        output.end(self.shared, &source, ReadAs::Plain);
    }

    /// Scans a file that is held whole.
    fn document(
        &mut self,
        output: &mut PartOutput,
        source: &Source,
        file: &OpenFile,
    ) -> Result<(), SourceError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = file.whole(&mut buffer)?;
        let step = self.shared.options.core_bytes(bytes.len());
        let cores = (0..bytes.len()).step_by(step).map(|from| from..bytes.len().min(from + step));
        let window = |core| Window { bytes: &bytes, base: 0, core, whole: Some(&bytes) };
        let windows: Vec<WindowOutput> = cores.map(|core| self.plain_window(source, &window(core))).collect();
        let unchanged = file.check_unchanged(&bytes, 0, file.bytes);
        windows.into_iter().for_each(|window| output.push(self.shared, window.verified(&unchanged)));
        drop(bytes);
        self.buffer = buffer;
        unchanged
    }

    /// Scans a window of a large file.
    fn window(
        &mut self,
        output: &mut PartOutput,
        source: &Source,
        file: &OpenFile,
        core: Range<u64>,
    ) -> Result<(), SourceError> {
        let from = core.start.saturating_sub(bounds::MARGIN as u64);
        let to = file.bytes.min(core.end + bounds::MARGIN as u64);
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = file.range(from..to, &mut buffer)?;
        let got = bytes.len() as u64;
        let end = (core.end - from).min(got) as usize;
        let core = ((core.start - from) as usize).min(end)..end;
        let window = self.plain_window(source, &Window { bytes: &bytes, base: from, core, whole: None });
        let unchanged = file.check_unchanged(&bytes, from, to - from);
        output.push(self.shared, window.verified(&unchanged));
        drop(bytes);
        self.buffer = buffer;
        unchanged
    }

    /// Scans a window of a file whose bytes need no decoding: what is scanned is what was read.
    fn plain_window(&mut self, source: &Source, window: &Window<'_>) -> WindowOutput {
        let output = self.shared.scan(&mut self.totals, source, window);
        self.shared.progress.read.fetch_add(window.core.len() as u64, Ordering::Relaxed);
        output
    }
}
