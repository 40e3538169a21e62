//! The scan: inputs over threads, findings in order, one outcome.
//!
//! A walk's inputs come in; findings go to a [`Sink`] in the order (path, offset), and an [`Outcome`] goes out. This is
//! the only room with threads. Workers take `tasks` from one queue, so one huge file and thousands of small ones keep
//! all of them busy; each keeps a summary of its own, merged once. What a worker finds comes into
//! `order` before it is written.

mod order;
mod tasks;
mod worker;

use crate::catalog::Severity;
use crate::error::Error;
use crate::finding::Finding;
use crate::input::Walk;
use crate::matcher::Matcher;
use crate::source::Origin;
use crate::summary::Summary;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use order::Order;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use tasks::Tasks;
use worker::Shared;

/// The core of a window, in bytes: large enough that margins cost under 2 %, small enough to share a file fairly.
pub const WINDOW_BYTES: usize = 4 << 20;

/// How to scan.
#[derive(Debug, Clone)]
pub struct Options {
    /// Worker threads; 0 takes one for each core.
    pub threads: usize,
    /// Map files instead of reading them.
    pub mmap: bool,
    /// The core of a window in bytes; none takes [`WINDOW_BYTES`], and one window for what fits one document.
    pub window_bytes: Option<usize>,
    /// The zone of time stamps that name none.
    pub timezone: TimeZone,
    /// What counts.
    pub filter: Filter,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            threads: 0,
            mmap: true,
            window_bytes: None,
            timezone: TimeZone::UTC,
            filter: Filter::default(),
        }
    }
}

/// Which findings count.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only these ids or codes; all where empty.
    pub codes: Vec<String>,
    /// Only findings at least as bad.
    pub severity: Option<Severity>,
    /// Only findings at this time or later.
    pub since: Option<Timestamp>,
    /// Only findings before this time.
    pub until: Option<Timestamp>,
    /// Drop findings without a time where a time is asked for.
    pub drop_undated: bool,
}

impl Filter {
    fn takes(&self, finding: &Finding) -> bool {
        let code = self.codes.is_empty() || self.codes.iter().any(|code| **code == *finding.id);
        code && self.severity.is_none_or(|least| finding.severity >= least) && self.takes_time(finding)
    }

    fn takes_time(&self, finding: &Finding) -> bool {
        let Some(time) = finding.time else {
            return !(self.drop_undated && (self.since.is_some() || self.until.is_some()));
        };
        self.since.is_none_or(|since| time.instant >= since)
            && self.until.is_none_or(|until| time.instant < until)
    }
}

/// Who takes findings as the scan goes.
pub trait Sink: Send {
    /// Takes the next finding in order.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn finding(&mut self, finding: &Finding) -> Result<(), Error>;
}

/// What has been done so far; read it from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes scanned.
    pub bytes: AtomicU64,
    /// Inputs done.
    pub inputs: AtomicU64,
}

/// What a scan gives.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was found.
    pub summary: Summary,
    /// What was looked at.
    pub inputs: Inputs,
}

/// What became of the inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Read to their end.
    pub scanned: u64,
    /// Read in part.
    pub partial: u64,
    /// Passed over by rule.
    pub skipped: u64,
    /// Not read.
    pub failed: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Each input that was not read whole, by path.
    pub problems: Vec<Problem>,
}

impl Inputs {
    /// Whether everything asked for was read.
    pub fn complete(&self) -> bool {
        self.partial == 0 && self.failed == 0
    }
}

/// An input that was not read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its name.
    pub origin: Arc<Origin>,
    /// What became of it.
    pub status: Status,
    /// Why, in words.
    pub reason: String,
    /// Bytes of it that were read.
    pub bytes: u64,
}

/// What became of an input that was not read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Read in part.
    Partial,
    /// Not read.
    Failed,
    /// Passed over by rule.
    Skipped,
}

impl Status {
    /// The name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Status::Partial => "partial",
            Status::Failed => "failed",
            Status::Skipped => "skipped",
        }
    }
}

/// Scans what `walk` found.
///
/// # Errors
///
/// Only what the sink or the creation of threads gives; inputs that cannot be read are part of the outcome.
pub fn scan<'k>(
    matcher: &Matcher,
    walk: &Walk,
    options: &Options,
    sink: Option<&'k mut (dyn Sink + 'k)>,
    progress: &Progress,
) -> Result<Outcome, Error> {
    let origins: Vec<Arc<Origin>> =
        walk.inputs.iter().map(|input| Arc::new(Origin::path(&input.path))).collect();
    let shared = Shared {
        matcher,
        options,
        progress,
        inputs: &walk.inputs,
        origins: &origins,
        every: sink.is_some(),
        tasks: Mutex::new(Tasks::default()),
        order: Order::new(sink),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.map_err(|error| Error::Threads(error.to_string()))?;
    let shares = pool.broadcast(|_| worker::run(&shared));
    let mut outcome = Outcome { summary: shared.order.into_samples()?, inputs: passed_over(walk) };
    let mut problems = BTreeMap::new();
    for share in shares {
        outcome.summary.merge(share.summary);
        outcome.inputs.bytes += share.bytes;
        for (source, problem) in share.problems {
            // The first problem of a source is told; the bytes that other windows read count.
            problems
                .entry(source)
                .and_modify(|known: &mut Problem| known.bytes += problem.bytes)
                .or_insert(problem);
        }
    }
    outcome.inputs.scanned = (walk.inputs.len() - problems.len()) as u64;
    outcome.inputs.problems.extend(problems.into_values());
    let inputs = &mut outcome.inputs;
    inputs.problems.sort_by(|a, b| (&a.origin, a.status).cmp(&(&b.origin, b.status)));
    let count = |status| inputs.problems.iter().filter(|problem| problem.status == status).count() as u64;
    (inputs.partial, inputs.failed, inputs.skipped) =
        (count(Status::Partial), count(Status::Failed), count(Status::Skipped));
    Ok(outcome)
}

/// What the walk already knows.
fn passed_over(walk: &Walk) -> Inputs {
    let problem = |path: &PathBuf, status, reason: String| Problem {
        origin: Arc::new(Origin::path(path)),
        status,
        reason,
        bytes: 0,
    };
    let skipped =
        walk.skipped.iter().map(|(path, reason)| problem(path, Status::Skipped, (*reason).to_string()));
    let failed =
        walk.failed.iter().map(|failed| problem(&failed.path, Status::Failed, failed.error.to_string()));
    Inputs { problems: skipped.chain(failed).collect(), ..Inputs::default() }
}
