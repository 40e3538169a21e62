//! Workers: one thread's share of a scan.
//!
//! A worker takes tasks, opens what they name, shows the matcher its windows and counts what is found in a summary of
//! its own. An input that cannot be read, or that makes the program panic, is a problem of that input alone.

use super::order::{Chunk, Order};
use super::tasks::{Task, Tasks};
use super::{Options, Problem, Progress, Status, WINDOW_BYTES};
use crate::context;
use crate::error::SourceError;
use crate::finding::Builder;
use crate::input::{self, Input, InputKind, MAX_WHOLE, Opened, Window};
use crate::matcher::{Matcher, record};
use crate::source::Origin;
use crate::summary::{MAX_SAMPLES, Summary};
use std::collections::HashMap;
use std::io::Read;
use std::ops::{ControlFlow, Range};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// What all workers see.
pub(super) struct Shared<'s, 'k> {
    pub matcher: &'s Matcher,
    pub options: &'s Options,
    pub progress: &'s Progress,
    pub inputs: &'s [Input],
    pub origins: &'s [Arc<Origin>],
    /// Whether every finding is wanted in order, not only samples.
    pub every: bool,
    pub tasks: Mutex<Tasks>,
    pub order: Order<'k>,
}

/// What a worker has done.
#[derive(Default)]
pub(super) struct Share {
    pub summary: Summary,
    pub bytes: u64,
    /// Inputs that were not read whole, by number.
    pub problems: Vec<(usize, Problem)>,
}

struct Worker<'w, 's, 'k> {
    shared: &'w Shared<'s, 'k>,
    share: Share,
    buffer: Vec<u8>,
}

/// Takes tasks until there are none.
pub(super) fn run(shared: &Shared<'_, '_>) -> Share {
    let mut worker = Worker { shared, share: Share::default(), buffer: Vec::new() };
    while !shared.order.stopped() {
        let task =
            shared.tasks.lock().unwrap_or_else(PoisonError::into_inner).take(shared.inputs, shared.options);
        let Some((index, task)) = task else { break };
        shared.order.wait_for(index);
        worker.task(index, task);
        shared.order.done(index);
    }
    worker.share
}

impl Worker<'_, '_, '_> {
    fn task(&mut self, index: usize, task: Task) {
        match task {
            Task::Inputs(sources) => {
                for source in sources {
                    let before = self.share.bytes;
                    let result = catch_unwind(AssertUnwindSafe(|| self.input(index, source)));
                    self.ended(source, before, result.unwrap_or(Err(SourceError::Panic)));
                    self.shared.progress.inputs.fetch_add(1, Ordering::Relaxed);
                }
            }
            Task::Window { source, file, core } => {
                let before = self.share.bytes;
                let last = core.end == file.bytes;
                let result = catch_unwind(AssertUnwindSafe(|| self.window(index, source, &file, core)));
                self.ended(source, before, result.unwrap_or(Err(SourceError::Panic)));
                if last {
                    self.shared.progress.inputs.fetch_add(1, Ordering::Relaxed);
                }
            }
            Task::Failed { source, error } => self.ended(source, self.share.bytes, Err(error)),
        }
    }

    /// Notes how an input ended if it was not read whole.
    fn ended(&mut self, source: usize, bytes_before: u64, result: Result<(), SourceError>) {
        let Err(error) = result else { return };
        let status = match error {
            SourceError::OwnReport => Status::Skipped,
            SourceError::Open(_) => Status::Failed,
            _ => Status::Partial,
        };
        let origin = self.shared.origins[source].clone();
        let bytes = self.share.bytes - bytes_before;
        self.share.problems.push((source, Problem { origin, status, reason: error.to_string(), bytes }));
    }

    fn input(&mut self, index: usize, source: usize) -> Result<(), SourceError> {
        let input = &self.shared.inputs[source];
        match input.kind {
            InputKind::Stdin => self.stream(index, source, &mut std::io::stdin().lock()),
            InputKind::Stream => {
                let mut file = std::fs::File::open(&input.path).map_err(SourceError::Open)?;
                self.stream(index, source, &mut file)
            }
            InputKind::File { .. } => {
                let file = Opened::input(input, self.shared.options.mmap)?;
                if file.marked {
                    return self.stream(index, source, &mut file.reader());
                }
                if file.bytes <= MAX_WHOLE {
                    return self.document(index, source, &file);
                }
                // It has grown since the walk.
                let step = self.core_bytes() as u64;
                let cores =
                    (0..file.bytes).step_by(step as usize).map(|from| from..file.bytes.min(from + step));
                for core in cores {
                    self.window(index, source, &file, core)?;
                }
                Ok(())
            }
        }
    }

    fn core_bytes(&self) -> usize {
        self.shared.options.window_bytes.unwrap_or(WINDOW_BYTES)
    }

    /// Scans a file that is held whole.
    fn document(&mut self, index: usize, source: usize, file: &Opened) -> Result<(), SourceError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = file.range(0..file.bytes, &mut buffer)?;
        let step = self.shared.options.window_bytes.unwrap_or(bytes.len()).max(1);
        for from in (0..bytes.len()).step_by(step) {
            let core = from..bytes.len().min(from + step);
            self.scan(index, source, &Window { bytes: &bytes, base: 0, core, whole: Some(&bytes) });
        }
        let got = bytes.len() as u64;
        drop(bytes);
        self.buffer = buffer;
        whole(got, file.bytes, got)
    }

    /// Scans a window of a large file.
    fn window(
        &mut self,
        index: usize,
        source: usize,
        file: &Opened,
        core: Range<u64>,
    ) -> Result<(), SourceError> {
        let from = core.start.saturating_sub(record::MARGIN as u64);
        let to = file.bytes.min(core.end + record::MARGIN as u64);
        let mut buffer = std::mem::take(&mut self.buffer);
        let bytes = file.range(from..to, &mut buffer)?;
        let got = bytes.len() as u64;
        let end = (core.end - from).min(got) as usize;
        let core = ((core.start - from) as usize).min(end)..end;
        self.scan(index, source, &Window { bytes: &bytes, base: from, core, whole: None });
        drop(bytes);
        self.buffer = buffer;
        whole(got, to - from, from + got)
    }

    fn stream(&mut self, index: usize, source: usize, reader: &mut dyn Read) -> Result<(), SourceError> {
        let core = self.core_bytes();
        input::stream(reader, core, record::MARGIN, &mut |window| {
            self.scan(index, source, window);
            let stopped = self.shared.order.stopped();
            if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .map(|_| ())
    }

    /// Scans a window: counts what it finds and hands on what is wanted in order.
    fn scan(&mut self, index: usize, source: usize, window: &Window<'_>) {
        let shared = self.shared;
        let builder = Builder { matcher: shared.matcher, origin: shared.origins[source].clone() };
        let reader = context::Reader::new(window, &shared.options.timezone);
        let mut findings = Vec::new();
        let mut samples: HashMap<Arc<str>, usize> = HashMap::new();
        let (mut line, mut counted) = (1, window.core.start);
        for found in shared.matcher.scan(window) {
            line += line_breaks(&window.bytes[counted..found.range.start]);
            counted = found.range.start;
            let finding = builder.build(&found, window, &reader, line);
            if !shared.options.filter.takes(&finding) {
                continue;
            }
            self.share.summary.add(&finding, source as u32);
            let sampled = samples.entry(finding.id.clone()).or_default();
            *sampled += 1;
            if shared.every || *sampled <= MAX_SAMPLES {
                findings.push(finding);
            }
        }
        let lines = line - 1 + line_breaks(&window.bytes[counted..window.core.end]);
        self.share.bytes += window.core.len() as u64;
        shared.progress.bytes.fetch_add(window.core.len() as u64, Ordering::Relaxed);
        shared.order.submit(index, Chunk { source, findings, lines });
    }
}

fn line_breaks(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Whether all the bytes asked for were there.
fn whole(got: u64, wanted: u64, offset: u64) -> Result<(), SourceError> {
    if got == wanted {
        return Ok(());
    }
    let error = std::io::Error::other(format!("the file became {} bytes shorter", wanted - got));
    Err(SourceError::Read { offset, error })
}
