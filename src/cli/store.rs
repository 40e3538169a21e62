//! `scan --store`: scans what the store does not know, batch by batch, and records what is found.
//!
//! A walk and an open store come in; the outcome and the run's totals go out. The store decides what is
//! known, the caller scans and prints. Here is only the order of the steps:
//!
//! 1. Ask for the freshness of every input, so that all unchanged streams are reserved before any changed
//!    file is.
//! 2. Cut the changed inputs into batches. A batch is one scan and one transaction, so that the store holds
//!    whole batches at any time, and a crash costs at most one.
//! 3. For each batch: resume large logs that have grown, hash the other files whose head is known, drop those
//!    whose content is known, and scan the rest with the recorder as sink.
//! 4. Remove old records, and end the run.

use super::args::ScanArgs;
use super::{clock, flags, say, signals};
use jiff::Timestamp;
use migsift::catalog::Catalog;
use migsift::context::Time;
use migsift::error::{Error, SourceError};
use migsift::input::{Input, InputKind, Resume, Walk};
use migsift::report::history;
use migsift::scan::{self, InputCounts, Options, Outcome, Problem, Sink};
use migsift::source::Origin;
use migsift::store::{
    BatchFile, Decision, Freshness, Identified, Identifier, Identity, Method, Mtime, NewOnly, Pruned,
    Recorder, Reread, RunTotals, ScannedWith, StaleReason, Store, WhenBusy,
};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The most bytes and inputs of a batch; a single input may be larger. A batch is what a crash can cost, and
/// each one waits for the disk when it ends.
const MAX_BATCH_BYTES: u64 = 1 << 30;
const MAX_BATCH_INPUTS: usize = 65_536;

/// How long an interruption goes unnoticed at most while the store is loaded.
const STEP: Duration = Duration::from_millis(100);

/// A scan with a store.
#[derive(Clone, Copy)]
pub struct StoreScan<'a> {
    pub args: &'a ScanArgs,
    pub catalog: &'a Catalog,
    pub options: &'a Options,
    /// All inputs.
    pub walk: &'a Walk,
    /// When the walk started. Times of files are judged against it.
    pub walk_start: Timestamp,
    /// Files that disappeared before this are removed from the store.
    pub oldest: Option<Timestamp>,
}

/// Scans a part of the walk.
type Scanner<'a> = dyn FnMut(&Walk, Option<&mut dyn Sink>) -> Result<Outcome, Error> + 'a;

/// A store that is checked and loaded by another thread, while this one walks the folders.
pub struct OpeningStore {
    loaded: Receiver<Result<Store, Error>>,
    thread: JoinHandle<()>,
}

impl OpeningStore {
    /// Opens and locks the store.
    pub fn start(path: &Path, when_busy: WhenBusy<'_>) -> Result<OpeningStore, Error> {
        let store = Store::open(path, when_busy)?;
        let (sender, loaded) = mpsc::channel();
        // Nobody receives it after an interruption.
        let thread = std::thread::spawn(move || drop(sender.send(store.load())));
        Ok(OpeningStore { loaded, thread })
    }

    /// Waits until the store is loaded. Returns none if the wait was interrupted: a large store takes a while
    /// to check.
    pub fn finish(self) -> Result<Option<Store>, Error> {
        loop {
            match self.loaded.recv_timeout(STEP) {
                Ok(store) => return store.map(Some),
                Err(RecvTimeoutError::Timeout) if signals::stop().load(Ordering::Relaxed) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let panic = self.thread.join().expect_err("it sends what it has loaded");
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

/// Scans what the store does not know.
pub fn scan(
    mut store: Store,
    request: StoreScan<'_>,
    sink: Option<&mut dyn Sink>,
    mut scanner: impl FnMut(&Walk, Option<&mut dyn Sink>) -> Result<Outcome, Error>,
) -> Result<(Outcome, history::Run), Error> {
    if store.was_upgraded() && !request.args.quiet {
        report_upgrade(request.args.store.as_deref());
    }
    let started = request.walk_start;
    let id = store.start_run(&started.to_string(), &method(request))?;
    let mut run = StoreRun {
        request,
        can_recognise: !store.is_empty(),
        store,
        outcome: Outcome::default(),
        totals: RunTotals::default(),
    };
    run.scan_changed(sink, &mut scanner)?;
    run.totals.inputs = run.outcome.inputs.counts();
    run.totals.bytes = run.outcome.inputs.bytes;
    let pruned = match request.oldest {
        Some(oldest) => run.store.prune_before(&oldest.to_string())?,
        None => Pruned::default(),
    };
    let ended = clock::now();
    run.store.finish_run(&ended.to_string(), &run.totals, &run.outcome.inputs.problems)?;
    if !request.args.quiet {
        report_totals(id, &run.totals, pruned);
    }
    let [started, ended] = [started, ended].map(|instant| Time { instant, digits: 3 });
    let RunTotals { unchanged, known, new: new_findings, .. } = run.totals;
    Ok((run.outcome, history::Run { id, started, ended, unchanged, known, new_findings }))
}

/// Reports that the store has other tables now, and that others can read it: a store of an earlier version was
/// created with the mode of any file, and keeps it.
fn report_upgrade(store: Option<&Path>) {
    say("store: upgraded to the tables of this version");
    #[cfg(unix)]
    if let Some(path) = store
        && let Ok(file) = path.metadata()
        && std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o077 != 0
    {
        let path = path.display();
        say(&format!(
            "store: {path} holds what logs say, and others may use it: `chmod 600` makes it private"
        ));
    }
    #[cfg(not(unix))]
    let _ = store;
}

/// Reports the run in a line, and what was removed in another.
fn report_totals(run: i64, totals: &RunTotals, pruned: Pruned) {
    let RunTotals { inputs: InputCounts { scanned, partial, failed, .. }, .. } = totals;
    let RunTotals { unchanged, known, findings, new, .. } = totals;
    say(&format!(
        "store: run {run}: {scanned} inputs read, {partial} partly read, {failed} not read; {unchanged} unchanged, \
         {known} known by content; {findings} findings, {new} new"
    ));
    if pruned != Pruned::default() {
        let Pruned { runs, files, findings } = pruned;
        say(&format!(
            "store: removed {runs} old runs, {files} files that are gone, {findings} findings in them"
        ));
    }
}

/// Everything that changes which findings the same bytes yield.
fn method(request: StoreScan<'_>) -> Method {
    Method {
        version: env!("CARGO_PKG_VERSION").to_string(),
        catalog: request.catalog.fingerprint(),
        options: flags::finding_options(request.args),
    }
}

struct StoreRun<'a> {
    request: StoreScan<'a>,
    /// Whether the store has streams that a file may be. If not, no file is hashed before it is scanned.
    can_recognise: bool,
    store: Store,
    outcome: Outcome,
    totals: RunTotals,
}

/// How a changed input is read.
enum ReadPlan {
    /// From its start; the scan reports what it is.
    Whole,
    /// From this place on, as this stream.
    Resume(i64, Resume),
    /// As its identity says.
    Identified(Result<Identity, SourceError>),
}

impl<'a> StoreRun<'a> {
    /// Scans the inputs that have changed, batch by batch.
    fn scan_changed(
        &mut self,
        mut sink: Option<&mut dyn Sink>,
        scanner: &mut Scanner<'_>,
    ) -> Result<(), Error> {
        let changed = self.changed_inputs();
        let (mut batch, mut rest) = changed.split_at(batch_length(&changed));
        // What the walk skipped is reported with the first batch, even if that is empty.
        let mut walk = Walk { skipped: self.request.walk.skipped.clone(), ..Walk::default() };
        loop {
            let next: Option<&mut dyn Sink> = match &mut sink {
                Some(sink) => Some(&mut **sink),
                None => None,
            };
            self.scan_batch(batch, std::mem::take(&mut walk), next, scanner)?;
            if rest.is_empty() {
                break;
            }
            self.store.commit_batch()?;
            self.store.start_batch()?;
            (batch, rest) = rest.split_at(batch_length(rest));
        }
        for failed in &self.request.walk.failed {
            self.add_problem(&failed.path, &failed.error);
        }
        Ok(())
    }

    /// The inputs that must be looked at; counts and reserves the others.
    fn changed_inputs(&mut self) -> Vec<&'a Input> {
        let mut changed = Vec::new();
        let mut stale: BTreeMap<StaleReason, u64> = BTreeMap::new();
        let reread = self.reread();
        for input in &self.request.walk.inputs {
            match self.store.freshness(input) {
                Freshness::Unchanged if reread == Reread::IfNeeded => {
                    self.totals.unchanged += 1;
                    continue;
                }
                Freshness::Stale(reason) if reread == Reread::IfNeeded => {
                    *stale.entry(reason).or_default() += 1;
                }
                _ => {}
            }
            changed.push(input);
        }
        if !self.request.args.quiet {
            for (reason, count) in stale {
                say(&format!("store: {count} inputs are read again: {reason}"));
            }
        }
        changed
    }

    /// Scans the inputs of a batch that are not known.
    fn scan_batch(
        &mut self,
        inputs: &[&'a Input],
        mut walk: Walk,
        sink: Option<&mut dyn Sink>,
        scanner: &mut Scanner<'_>,
    ) -> Result<(), Error> {
        let plans = self.plan(inputs)?;
        let mut files = Vec::new();
        for (input, plan) in inputs.iter().zip(plans) {
            self.add_to_batch(input, plan, &mut walk, &mut files)?;
        }
        let new_only = if self.request.args.new_only { NewOnly::Yes } else { NewOnly::No };
        let scan = ScannedWith { catalog: self.request.catalog, options: self.request.options };
        let mut recorder = Recorder::new(&mut self.store, scan, files, sink, new_only);
        let outcome = scanner(&walk, Some(&mut recorder))?;
        let batch = recorder.finish(&outcome)?;
        self.totals.known += batch.copies;
        self.totals.findings += batch.findings;
        self.totals.new += batch.new;
        let mut summary = batch.summary;
        // Each batch numbers its sources from 0, so the numbers of two batches must not be compared: keep
        // only how many there were.
        for code in summary.codes.values_mut() {
            code.prior_sources += std::mem::take(&mut code.sources).len() as u64;
        }
        self.outcome.summary.merge(summary);
        self.outcome.inputs.merge(outcome.inputs);
        Ok(())
    }

    /// Adds an input to the walk and the files of a batch, unless it is known or cannot be read.
    fn add_to_batch(
        &mut self,
        input: &'a Input,
        plan: ReadPlan,
        walk: &mut Walk,
        files: &mut Vec<BatchFile<'a>>,
    ) -> Result<(), Error> {
        let InputKind::File { stat } = input.kind else {
            walk.inputs.push(input.clone());
            return Ok(());
        };
        let mtime = Mtime::new(&stat, self.request.walk_start.as_nanosecond());
        let (stream, from) = match plan {
            ReadPlan::Whole | ReadPlan::Identified(Ok(Identity::New)) => (None, None),
            ReadPlan::Resume(stream, from) => (Some(stream), Some(from)),
            ReadPlan::Identified(Ok(Identity::Hashed(identified))) => {
                match self.store.reserve(input, mtime, &identified, self.reread())? {
                    Decision::Known => {
                        self.totals.known += 1;
                        return Ok(());
                    }
                    Decision::Read(stream) => (Some(stream), None),
                }
            }
            ReadPlan::Identified(Err(error)) => {
                self.add_problem(&input.path, &error);
                return Ok(());
            }
        };
        files.push(BatchFile::new(input, mtime, stream));
        walk.inputs.push(Input { resume: from, ..input.clone() });
        Ok(())
    }

    /// Plans how the inputs are read, on all threads.
    fn plan(&mut self, inputs: &[&Input]) -> Result<Vec<ReadPlan>, Error> {
        if !self.can_recognise {
            return Ok(inputs.iter().map(|_| ReadPlan::Whole).collect());
        }
        let reread = self.reread();
        let (identifier, options) = (self.store.identifier(), self.request.options);
        let stop = signals::stop();
        let mut plans = scan::par_map(inputs, options, |input| match identifier.continues(input, options) {
            _ if stop.load(Ordering::Relaxed) => {
                ReadPlan::Identified(Err(SourceError::Interrupted { offset: 0 }))
            }
            Some((stream, from)) if reread == Reread::IfNeeded => ReadPlan::Resume(stream, from),
            _ if matches!(input.kind, InputKind::File { .. }) => {
                ReadPlan::Identified(identify(identifier, input, options))
            }
            _ => ReadPlan::Whole,
        })?;
        // A file that another one of the batch may be a copy of is not resumed but hashed, so that it counts
        // once.
        let heads: Vec<u64> = plans.iter().filter_map(ReadPlan::head).collect();
        for (input, plan) in inputs.iter().zip(&mut plans) {
            let ReadPlan::Resume(stream, _) = plan else { continue };
            if !self.store.reserve_continued(*stream, &heads) {
                *plan = ReadPlan::Identified(identify(self.store.identifier(), input, options));
            }
        }
        Ok(plans)
    }

    fn reread(&self) -> Reread {
        if self.request.args.rescan { Reread::Always } else { Reread::IfNeeded }
    }

    /// Records an input that is not scanned.
    fn add_problem(&mut self, path: &Path, error: &SourceError) {
        let problem = Problem::unread(Arc::new(Origin::path(path)), error);
        self.outcome.inputs.merge(problem.into());
    }
}

impl ReadPlan {
    /// The hash of the file's head, if a known stream has the same.
    fn head(&self) -> Option<u64> {
        match self {
            ReadPlan::Identified(Ok(Identity::Hashed(Identified { content, .. }))) => Some(content.head),
            _ => None,
        }
    }
}

/// How many of the next inputs make a batch: at least one, if there are any.
fn batch_length(inputs: &[&Input]) -> usize {
    let mut bytes = 0;
    let fits = |input: &&&Input| {
        bytes += input.bytes().unwrap_or(0);
        bytes <= MAX_BATCH_BYTES
    };
    let length = inputs.iter().take(MAX_BATCH_INPUTS).take_while(fits).count();
    length.max(1).min(inputs.len())
}

/// Identifies the input. A decoder that panics is a problem of this input only.
fn identify(identifier: Identifier<'_>, input: &Input, options: &Options) -> Result<Identity, SourceError> {
    let identify = || identifier.identify(input, options, signals::stop());
    catch_unwind(AssertUnwindSafe(identify)).unwrap_or(Err(SourceError::Panic))
}
