//! The scan: inputs over threads, findings in order, one outcome.
//!
//! The inputs of a walk come in; findings go to a [`Sink`] in the order path, member, offset, and an
//! [`Outcome`] goes out. This is the only module with worker threads. It does not know what a finding means, and
//! prints nothing.
//!
//! ```text
//! walk ─→ Tasks ─→ Scheduler ─job→ Worker ─window→ Shared::scan ─WindowOutput→ Scheduler ─in order→ Writer ─→ Sink
//!                      ▲              │                  │
//!                      │              ▼                  └─ counts → WorkerTotals, one for each worker ─merge→ Outcome
//!                      └─ windows ─ ScanVisitor (streams, archives)
//! ```
//!
//! - `tasks` cuts the walk into tasks: batches of small files, one file, or a window of a large file.
//! - `scheduler` hands out jobs, bounds memory, and puts what was found in order. Start reading there.
//! - `worker` does the jobs: it opens files and shows the matcher windows.
//! - `visitor` cuts decoded streams into windows, which other workers match; `zip_parts` cuts large archives
//!   into parts.
//! - `shared` scans one window: from matches to findings, counts and rows.
//! - `writer` writes what is due; `content` identifies files by their bytes for the store.
//!
//! So one huge file, one huge stream and thousands of small files keep all workers busy.

mod chunk;
mod content;
mod in_memory;
mod numbering;
mod options;
mod outcome;
mod part_output;
mod progress;
mod rows;
mod scheduler;
mod shared;
mod sink;
mod tasks;
mod totals;
mod visitor;
mod worker;
mod writer;
mod zip_parts;

#[cfg(test)]
mod tests;

pub use content::{Content, Continuation, Hash};
#[cfg(feature = "history")]
pub(crate) use content::{HEAD_BYTES, Hasher, TAIL_BYTES, head_hash, tail_hash};
pub use in_memory::Findings;
pub use options::{Filter, MAX_THREADS, Options};
pub use outcome::{InputCounts, Inputs, Outcome, Problem, Status};
pub use progress::Progress;
#[cfg(feature = "history")]
pub(crate) use sink::emit;
pub use sink::{Encode, FileSink, FileStart, RowSink, Sink};

use crate::error::Error;
use crate::input::{FileEntry, Walk, Walker};
use crate::matcher::Matcher;
use numbering::Sources;
use rayon::prelude::*;
use scheduler::Scheduler;
use shared::Shared;
use std::panic::resume_unwind;
use std::thread::ScopedJoinHandle;
use tasks::Tasks;
use totals::WorkerTotals;

/// The core of a window of a file, in bytes: large enough that margins cost under 2 %, small enough that a
/// file is shared evenly.
pub const WINDOW_BYTES: usize = 4 << 20;

/// The input of a scan.
#[derive(Debug)]
pub enum Work<'w> {
    /// A walk that is complete.
    Walked(&'w Walk),
    /// A walk that goes on while the scan runs.
    Walking(Box<Walker>),
}

impl<'w> From<&'w Walk> for Work<'w> {
    fn from(walk: &'w Walk) -> Work<'w> {
        Work::Walked(walk)
    }
}

impl From<Walker> for Work<'_> {
    fn from(walker: Walker) -> Self {
        Work::Walking(Box::new(walker))
    }
}

/// Scans the inputs of a walk.
///
/// Inputs that cannot be read are part of the outcome.
///
/// # Errors
///
/// Those of the sink, and [`Error::Threads`].
pub fn scan<'k, 'w>(
    matcher: &Matcher,
    work: impl Into<Work<'w>>,
    options: &Options,
    mut sink: Option<&'k mut (dyn Sink + 'k)>,
    progress: &Progress,
) -> Result<Outcome, Error> {
    let sources = Sources::default();
    let keep_all = sink.as_ref().is_some_and(|sink| sink.wants_findings());
    let encode = sink.as_mut().and_then(|sink| sink.row_sink()).map(|rows| rows.encoder());
    let tasks = Tasks::new(work.into(), options, &sources);
    let scheduler = Scheduler::new(tasks, sink, options.max_threads());
    let shared = Shared { matcher, options, progress, sources: &sources, keep_all, encode, scheduler };
    let per_worker = run_workers(&shared)?;
    let (work, written) = shared.scheduler.finish()?;
    let mut totals = written.totals;
    per_worker.into_iter().for_each(|worker| totals.merge(worker));
    totals.summary.merge(written.samples);
    let bytes = totals.bytes;
    let summary = std::mem::take(&mut totals.summary);
    let (scanned, problems) = totals.coverage();
    let mut inputs = match work {
        Work::Walked(walk) => Inputs::of_scan(scanned, bytes, problems, walk),
        Work::Walking(walker) => Inputs::of_scan(scanned, bytes, problems, &walker.finish()),
    };
    inputs.mask();
    if let Some(redactor) = &options.redactor {
        inputs.redact(redactor);
    }
    let redaction = options.redactor.as_ref().map(|redactor| redactor.id().to_string());
    Ok(Outcome { summary, inputs, redaction })
}

/// Starts workers as the scheduler wants them, and waits for their ends. Returns their totals.
///
/// # Errors
///
/// [`Error::Threads`] if not even one could be started; with fewer than were wanted, the work takes longer.
fn run_workers(shared: &Shared<'_, '_>) -> Result<Vec<WorkerTotals>, Error> {
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        while shared.scheduler.next_worker() {
            let name = format!("scan-{}", workers.len());
            let worker = std::thread::Builder::new().name(name).spawn_scoped(scope, || worker::run(shared));
            match worker {
                Ok(worker) => workers.push(worker),
                Err(error) if shared.scheduler.worker_failed() == 0 => {
                    return Err(Error::Threads(error.into()));
                }
                Err(_) => {}
            }
        }
        let end = |worker: ScopedJoinHandle<'_, WorkerTotals>| {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        Ok(workers.into_iter().map(end).collect())
    })
}

/// Completes a walk, on at most as many threads as `options` ask for.
pub fn walk(walker: Walker, options: &Options) -> Walk {
    walker.finish_with(|found| {
        let looked = par_map(found, options, FileEntry::stat);
        // If threads cannot be started, the scan reports it.
        looked.unwrap_or_else(|_| found.iter().map(FileEntry::stat).collect())
    })
}

/// Returns `map` of each item, in their order, computed on at most as many threads as `options` ask for, and
/// on no more than there are items.
///
/// # Errors
///
/// [`Error::Threads`].
pub fn par_map<T: Sync, R: Send>(
    items: &[T],
    options: &Options,
    map: impl Fn(&T) -> R + Sync + Send,
) -> Result<Vec<R>, Error> {
    let threads = options.max_threads().min(items.len());
    if threads < 2 {
        return Ok(items.iter().map(map).collect());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Threads(error.into()))?;
    Ok(pool.install(|| items.par_iter().map(map).collect()))
}
