//! The scan: inputs over threads, findings in order, one outcome.
//!
//! What a walk finds comes in; findings go to a [`Sink`] in the order (path, member, offset), and an [`Outcome`] goes out.
//! This is the only room with threads. Workers take jobs from the `board`: `tasks` cut from the walk, parts of a large
//! `archive`, windows that another worker's `reading` has decoded. So one huge file, one huge stream and thousands of
//! small files keep all of them busy. Each keeps a `share` of its own, merged once.

mod archive;
mod board;
mod content;
mod reading;
mod rows;
mod share;
mod tasks;
mod worker;

use crate::catalog::Severity;
use crate::error::{Error, SourceError};
use crate::finding::Finding;
use crate::input::{FileEntry, Globs, Limits, Walk, Walker};
use crate::matcher::Matcher;
use crate::redact::Redactor;
use crate::source::Origin;
use crate::summary::{LastAttempt, Summary};
use board::Board;
pub use content::{Content, Continuation, HEAD_BYTES, Hash, Hasher, TAIL_BYTES, head_hash, tail_hash};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rayon::prelude::*;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share::Sources;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The core of a window in bytes; none takes [`WINDOW_BYTES`] for files, less for what is decoded, and one window for
    /// what fits one document.
    pub window_bytes: Option<usize>,
    /// The zone of time stamps that name none.
    pub timezone: TimeZone,
    /// What counts.
    pub filter: Filter,
    /// How many lines before and behind a finding are read, at most
    /// [`MAX_LINES`](crate::context::lines::MAX_LINES).
    pub context_lines: usize,
    /// How far archives and compressed streams are unpacked.
    pub limits: Limits,
    /// Which members of archives are wanted.
    pub globs: Globs,
    /// Turns names into tokens in all that the scan gives, if it is to be shown to others; secrets are masked anyway.
    pub redactor: Option<Arc<Redactor>>,
    /// Tell the sink what each file is by its [`Content`]; windows then have the sizes that they have by default.
    pub identify: bool,
}

impl Options {
    /// The core of a window in bytes, where it is `usual` if nothing else is asked for.
    fn core(&self, usual: usize) -> usize {
        self.window_bytes.filter(|_| !self.identify).unwrap_or(usual).max(1)
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            threads: 0,
            mmap: true,
            window_bytes: None,
            timezone: TimeZone::UTC,
            filter: Filter::default(),
            context_lines: 0,
            limits: Limits::default(),
            globs: Globs::default(),
            redactor: None,
            identify: false,
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
    /// Only findings of this attempt.
    pub attempt: Option<LastAttempt>,
}

impl Filter {
    fn accepts(&self, finding: &Finding) -> bool {
        let code = self.codes.is_empty() || self.codes.iter().any(|code| **code == *finding.id);
        code && self.severity.is_none_or(|least| finding.severity >= least)
            && self.accepts_time(finding)
            && self.attempt.as_ref().is_none_or(|attempt| attempt.includes(finding))
    }

    fn accepts_time(&self, finding: &Finding) -> bool {
        let Some(time) = finding.time else {
            return !(self.drop_undated && (self.since.is_some() || self.until.is_some()));
        };
        self.since.is_none_or(|since| time.instant >= since)
            && self.until.is_none_or(|until| time.instant < until)
    }
}

/// Receives findings while the scan runs.
///
/// One method is required; the others say what else a sink can receive: finished rows ([`RowSink`]) and the start and end
/// of files ([`FileSink`]). All calls come in the order of the report, from one thread at a time.
pub trait Sink: Send {
    /// Receives the next finding in order.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn finding(&mut self, finding: &Finding) -> Result<(), Error>;

    /// Whether [`Sink::finding`] is called at all. A sink that only writes rows returns `false`, so that findings need
    /// not be kept until it is their turn.
    fn wants_findings(&self) -> bool {
        true
    }

    /// The part of the sink that receives rows, if it has one.
    fn row_sink(&mut self) -> Option<&mut dyn RowSink> {
        None
    }

    /// The part of the sink that is called at the start and the end of files, if it has one. It is used only where
    /// [`Options::identify`] is set.
    fn file_sink(&mut self) -> Option<&mut dyn FileSink> {
        None
    }
}

/// Receives findings as rows: bytes that the workers encoded, so that the thread that writes only copies them.
pub trait RowSink {
    /// The function that encodes a finding. It runs on the worker that found it.
    fn encoder(&self) -> Encode;

    /// Receives the rows of the next findings in order.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn rows(&mut self, rows: &[u8]) -> Result<(), Error>;
}

/// Receives the start and the end of each file. The findings between the two belong to the file.
pub trait FileSink {
    /// Called before the first finding of a file.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn start(&mut self, file: &FileStart<'_>) -> Result<(), Error>;

    /// Called after the last finding of a file that is not an archive, with the content that could be read.
    ///
    /// # Errors
    ///
    /// Ends the scan.
    fn end(&mut self, path: &Path, content: Content) -> Result<(), Error>;
}

/// A file at its start: its findings come next.
#[derive(Debug)]
pub struct FileStart<'b> {
    /// Its path as walked.
    pub path: &'b Path,
    /// The offset at which reading starts: 0, or where a known file is resumed.
    pub from: u64,
    /// The hash of the first bytes that are read.
    pub head: u64,
    /// The identity of its content, if it is known already: always for archives and for files of one window.
    pub content: Option<&'b Content>,
}

/// Appends a finding to `rows` as one row, without its line number, and returns the position in `rows` where that number
/// belongs. A worker does not know the number yet: it depends on all that precedes the window.
pub type Encode = fn(&Finding, rows: &mut Vec<u8>) -> usize;

/// Passes `sink` a finding whose line is known, as a row and as a finding, whichever it wants.
///
/// # Errors
///
/// Those of the sink.
pub fn emit(sink: &mut dyn Sink, finding: &Finding) -> Result<(), Error> {
    if let Some(rows) = sink.row_sink() {
        let mut row = Vec::new();
        let place = rows.encoder()(finding, &mut row);
        row.splice(place..place, finding.line.to_string().into_bytes());
        rows.rows(&row)?;
    }
    if sink.wants_findings() { sink.finding(finding) } else { Ok(()) }
}

/// What has been done so far; read it from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes scanned, after decoding.
    pub bytes: AtomicU64,
    /// Bytes of the walk's inputs that were read, before decoding; those of streams are not counted.
    pub read: AtomicU64,
    /// Inputs done.
    pub inputs: AtomicU64,
    /// Set from another thread, or by a handler of signals, to end the scan soon: what is not read by then is told as a
    /// problem, and the outcome holds for the rest.
    pub stop: Arc<AtomicBool>,
    current: Mutex<Option<Arc<Origin>>>,
}

impl Progress {
    /// Nothing done; the scan ends soon when `stop` is set.
    pub fn with_stop(stop: Arc<AtomicBool>) -> Progress {
        Progress { stop, ..Progress::default() }
    }

    /// The source that was opened last.
    pub fn current(&self) -> Option<Arc<Origin>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the scan is to end.
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn reads(&self, origin: &Arc<Origin>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin.clone());
    }
}

/// What a scan gives.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was found.
    pub summary: Summary,
    /// What was looked at.
    pub inputs: Inputs,
    /// The id of the key under which names are tokens, if they are.
    pub redaction: Option<String>,
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
        self.counts().complete()
    }

    /// Returns the number of inputs, read or not.
    pub fn total(&self) -> u64 {
        self.counts().total()
    }

    /// Returns the numbers of inputs by outcome.
    pub fn counts(&self) -> InputCounts {
        let Inputs { scanned, partial, skipped, failed, .. } = *self;
        InputCounts { scanned, partial, skipped, failed }
    }

    /// Takes in those of another scan.
    pub fn merge(&mut self, other: Inputs) {
        self.scanned += other.scanned;
        self.partial += other.partial;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.bytes += other.bytes;
        self.problems.extend(other.problems);
        self.sort();
    }

    /// Turns the names of inputs into tokens, and what their problems say of them.
    fn redact(&mut self, redactor: &Redactor) {
        for problem in &mut self.problems {
            problem.origin = Arc::new(redactor.origin(&problem.origin));
            problem.reason = redactor.free_text(&problem.reason);
        }
        self.sort();
    }

    /// Members of the same name may differ in the rest.
    fn sort(&mut self) {
        self.problems.sort_by(|a, b| {
            (&a.origin, a.status, &a.reason, a.bytes).cmp(&(&b.origin, b.status, &b.reason, b.bytes))
        });
    }
}

/// How many inputs there are of each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InputCounts {
    /// Inputs read to their end.
    pub scanned: u64,
    /// Inputs read in part.
    pub partial: u64,
    /// Inputs skipped by rule.
    pub skipped: u64,
    /// Inputs not read.
    pub failed: u64,
}

impl InputCounts {
    /// Returns the number of inputs.
    pub fn total(self) -> u64 {
        self.scanned + self.partial + self.skipped + self.failed
    }

    /// Returns whether everything asked for was read.
    pub fn complete(self) -> bool {
        self.partial == 0 && self.failed == 0
    }
}

/// The inputs of one that was not read: it counts, and is listed with its reason.
impl From<Problem> for Inputs {
    fn from(problem: Problem) -> Inputs {
        let mut inputs = Inputs::default();
        *match problem.status {
            Status::Partial => &mut inputs.partial,
            Status::Failed => &mut inputs.failed,
            Status::Skipped => &mut inputs.skipped,
        } += 1;
        inputs.problems.push(problem);
        inputs
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

impl Problem {
    /// Returns the problem of an input of which nothing was read.
    pub fn unread(origin: Arc<Origin>, error: &SourceError) -> Problem {
        let status = match error {
            SourceError::OwnReport | SourceError::Skipped(_) => Status::Skipped,
            _ => Status::Failed,
        };
        Problem { origin, status, reason: error.to_string(), bytes: 0 }
    }
}

/// The outcome of an input that was not read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
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

/// What `look` says of each item, in their order, asked on as many threads as `options` want.
///
/// # Errors
///
/// Only what the creation of threads gives.
pub fn par_map<T: Sync, R: Send>(
    items: &[T],
    options: &Options,
    look: impl Fn(&T) -> R + Sync + Send,
) -> Result<Vec<R>, Error> {
    if items.len() < 2 {
        return Ok(items.iter().map(look).collect());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.map_err(|error| Error::Threads(error.to_string()))?;
    Ok(pool.install(|| items.par_iter().map(look).collect()))
}

/// All that `walker` finds, looked at on as many threads as `options` want.
pub fn walk(walker: Walker, options: &Options) -> Walk {
    walker.finish_with(|found| {
        let looked = par_map(found, options, FileEntry::stat);
        // Where there are no threads, the scan says so.
        looked.unwrap_or_else(|_| found.iter().map(FileEntry::stat).collect())
    })
}

/// What is scanned.
#[derive(Debug)]
pub enum Work<'w> {
    /// What a walk has found.
    Walked(&'w Walk),
    /// What a walk finds while the scan goes on.
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

/// Scans what a walk has found or finds.
///
/// # Errors
///
/// Only what the sink or the creation of threads gives; inputs that cannot be read are part of the outcome.
pub fn scan<'k, 'w>(
    matcher: &Matcher,
    work: impl Into<Work<'w>>,
    options: &Options,
    mut sink: Option<&'k mut (dyn Sink + 'k)>,
    progress: &Progress,
) -> Result<Outcome, Error> {
    let sources = Sources::default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.map_err(|error| Error::Threads(error.to_string()))?;
    let every = sink.as_ref().is_some_and(|sink| sink.wants_findings());
    let encode = sink.as_mut().and_then(|sink| sink.row_sink()).map(|rows| rows.encoder());
    let tasks = Tasks::new(work.into(), options, &sources);
    let board = Board::new(tasks, sink, pool.current_num_threads());
    let shared = Shared { matcher, options, progress, sources: &sources, every, encode, board };
    let shares = pool.broadcast(|_| worker::run(&shared));
    let (work, samples, mut all) = shared.board.finish()?;
    shares.into_iter().for_each(|share| all.merge(share));
    all.summary.merge(samples);
    let bytes = all.bytes;
    let summary = std::mem::take(&mut all.summary);
    let (scanned, problems) = all.coverage();
    let mut inputs = match work {
        Work::Walked(walk) => covered(scanned, bytes, problems, walk),
        Work::Walking(walker) => covered(scanned, bytes, problems, &walker.finish()),
    };
    if let Some(redactor) = &options.redactor {
        inputs.redact(redactor);
    }
    let redaction = options.redactor.as_ref().map(|redactor| redactor.id().to_string());
    Ok(Outcome { summary, inputs, redaction })
}

/// What became of all inputs: those of the scan, and those that the walk has passed over or could not look at.
fn covered(scanned: u64, bytes: u64, mut problems: Vec<Problem>, walk: &Walk) -> Inputs {
    let problem = |path: &Path, status, reason: String| Problem {
        origin: Arc::new(Origin::path(path)),
        status,
        reason,
        bytes: 0,
    };
    problems
        .extend(walk.skipped.iter().map(|(path, reason)| problem(path, Status::Skipped, reason.to_string())));
    problems.extend(
        walk.failed.iter().map(|failed| problem(&failed.path, Status::Failed, failed.error.to_string())),
    );
    let count = |status| problems.iter().filter(|problem| problem.status == status).count() as u64;
    let (partial, failed, skipped) = (count(Status::Partial), count(Status::Failed), count(Status::Skipped));
    let mut inputs = Inputs { scanned, partial, skipped, failed, bytes, problems };
    inputs.sort();
    inputs
}
