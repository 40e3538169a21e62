//! `scan --store`: which inputs are read, batch by batch, and what of it is kept.
//!
//! A batch is one scan and one transaction of the store, so that what is on the disk is always that of whole batches.

use super::args::Scan;
use super::say;
use jiff::Timestamp;
use migsift::catalog::Catalog;
use migsift::context::Time;
use migsift::error::{Error, SourceError};
use migsift::input::{Input, InputKind, Resume, Walk};
use migsift::report::history;
use migsift::scan::{self, InputCounts, Options, Outcome, Problem, Sink};
use migsift::source::Origin;
use migsift::store::{
    self, Decision, Forgotten, Look, Looker, Method, Recorder, Standing, Store, ToRead, Totals,
};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

/// How much a batch reads, at most: bytes on the disk, and inputs. One input may be larger.
const BATCH: (u64, usize) = (1 << 30, 65_536);

/// What a scan with a store is made with.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    /// What the command line says.
    pub args: &'a Scan,
    /// What is looked for.
    pub catalog: &'a Catalog,
    /// How it is scanned.
    pub options: &'a Options,
    /// What may be read.
    pub walk: &'a Walk,
    /// When the walk began.
    pub walked: Timestamp,
    /// What has vanished before is forgotten.
    pub oldest: Option<Timestamp>,
}

/// Scans a part of what may be read.
type Scanner<'a> = dyn FnMut(&Walk, Option<&mut dyn Sink>) -> Result<Outcome, Error> + 'a;

/// A store that is looked through on a thread of its own.
pub struct Opening(JoinHandle<Result<Store, Error>>);

impl Opening {
    /// Opens the store, so that nobody else can use it.
    pub fn begin(path: &Path, wait: bool) -> Result<Opening, Error> {
        let store = Store::open(path, wait)?;
        Ok(Opening(std::thread::spawn(move || store.load())))
    }

    /// The store, if it is whole.
    pub fn end(self) -> Result<Store, Error> {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Scans what the store does not know.
pub fn scan(
    mut store: Store,
    wanted: Stored<'_>,
    sink: Option<&mut dyn Sink>,
    mut scanner: impl FnMut(&Walk, Option<&mut dyn Sink>) -> Result<Outcome, Error>,
) -> Result<(Outcome, history::Run), Error> {
    let started = wanted.walked;
    let id = store.begin_run(&started.to_string(), &method(wanted))?;
    let looks = !store.is_fresh();
    let mut run = Run { wanted, looks, store, outcome: Outcome::default(), totals: Totals::default() };
    run.all(sink, &mut scanner)?;
    let inputs = &run.outcome.inputs;
    run.totals.inputs = inputs.counts();
    run.totals.bytes = inputs.bytes;
    let forgotten = match wanted.oldest {
        Some(oldest) => run.store.forget_before(&oldest.to_string())?,
        None => Forgotten::default(),
    };
    let ended = Timestamp::now();
    run.store.end_run(&ended.to_string(), &run.totals, &run.outcome.inputs.problems)?;
    run.store.shrink()?;
    if !wanted.args.quiet {
        say(&outcome(id, &run.totals));
        if forgotten != Forgotten::default() {
            let Forgotten { runs, files, findings } = forgotten;
            say(&format!(
                "store: forgotten: {runs} runs, {files} files that are gone, {findings} findings in them"
            ));
        }
    }
    let times = [started, ended].map(|instant| Time { instant, digits: 3 });
    let Totals { unchanged, known, new: new_findings, .. } = run.totals;
    Ok((run.outcome, history::Run { id, times, unchanged, known, new_findings }))
}

/// The run in one line.
fn outcome(run: i64, totals: &Totals) -> String {
    let InputCounts { scanned, partial, failed, .. } = totals.inputs;
    let Totals { unchanged, known, .. } = totals;
    format!(
        "store: run {run}: {scanned} inputs read, {partial} in part, {failed} not; {unchanged} unchanged, {known} known by content; \
         {} findings, {} new",
        totals.findings, totals.new
    )
}

/// All that changes what is found in the same bytes.
fn method(wanted: Stored<'_>) -> Method {
    let (args, limits) = (wanted.args, &wanted.options.limits);
    let (include, exclude) = (&args.walk.include, &args.walk.exclude);
    let (zone, lines) = (&args.timezone, args.context_lines);
    Method {
        version: env!("CARGO_PKG_VERSION").to_string(),
        catalog: wanted.catalog.fingerprint(),
        options: format!("{zone} {include:?} {exclude:?} {lines} {limits:?}"),
    }
}

struct Run<'a> {
    wanted: Stored<'a>,
    /// Whether files are looked at before they are scanned: something is known that they may be.
    looks: bool,
    store: Store,
    outcome: Outcome,
    totals: Totals,
}

/// What is known of a changed file before it is scanned.
enum Before {
    /// It is read from its begin, as what the scan says that it is.
    Unknown,
    /// It is read on, as this stream.
    GoesOn(i64, Resume),
    /// This.
    Looked(Result<Look, SourceError>),
}

impl<'a> Run<'a> {
    fn all(&mut self, mut sink: Option<&mut dyn Sink>, scanner: &mut Scanner<'_>) -> Result<(), Error> {
        let changed = self.changed();
        let mut rest = &changed[..];
        // What the walk has passed over belongs to the first batch.
        let mut skipped = (self.wanted.walk.skipped.clone(), true);
        while !rest.is_empty() || skipped.1 {
            let mut bytes = 0;
            let fits = |input: &&&Input| {
                bytes += input.bytes().unwrap_or(0);
                bytes <= BATCH.0
            };
            let count = rest.iter().take(BATCH.1).take_while(fits).count().max(1).min(rest.len());
            let (now, later) = rest.split_at(count);
            rest = later;
            let walk = Walk { skipped: std::mem::take(&mut skipped.0), ..Walk::default() };
            if !skipped.1 {
                self.store.commit()?;
                self.store.begin()?;
            }
            skipped.1 = false;
            let next: Option<&mut dyn Sink> = match &mut sink {
                Some(sink) => Some(&mut **sink),
                None => None,
            };
            self.batch(now, walk, next, scanner)?;
        }
        for failed in &self.wanted.walk.failed {
            self.problem(&failed.path, &failed.error);
        }
        Ok(())
    }

    /// The inputs that are not as they were.
    fn changed(&mut self) -> Vec<&'a Input> {
        let mut changed = Vec::new();
        let mut again: BTreeMap<&str, u64> = BTreeMap::new();
        for input in &self.wanted.walk.inputs {
            if self.store.holds(&input.path) {
                self.problem(&input.path, &SourceError::Skipped("the store itself"));
                continue;
            }
            match self.store.standing(input) {
                Standing::Unchanged if !self.wanted.args.rescan => {
                    self.totals.unchanged += 1;
                    continue;
                }
                Standing::Again(why) if !self.wanted.args.rescan => *again.entry(why).or_default() += 1,
                _ => {}
            }
            changed.push(input);
        }
        if !self.wanted.args.quiet {
            again
                .iter()
                .for_each(|(why, count)| say(&format!("store: {count} inputs are read again: {why}")));
        }
        changed
    }

    fn batch(
        &mut self,
        inputs: &[&'a Input],
        mut walk: Walk,
        sink: Option<&mut dyn Sink>,
        scanner: &mut Scanner<'_>,
    ) -> Result<(), Error> {
        let before = self.before(inputs)?;
        let mut files = Vec::new();
        for (input, before) in inputs.iter().zip(before) {
            let InputKind::File { stat } = input.kind else {
                walk.inputs.push((*input).clone());
                continue;
            };
            let settled = store::settled(&stat, self.wanted.walked.as_nanosecond());
            let (mut from, mut stream) = (None, None);
            match before {
                Before::Unknown | Before::Looked(Ok(Look::Fresh)) => {}
                Before::GoesOn(known, place) => {
                    stream = Some(known);
                    from = Some(place);
                }
                Before::Looked(Ok(Look::Known(content, begins))) => {
                    let rescan = self.wanted.args.rescan;
                    match self.store.claim(input, settled, (&content, &begins), rescan)? {
                        Decision::Known => {
                            self.totals.known += 1;
                            continue;
                        }
                        Decision::Read(known) => stream = Some(known),
                    }
                }
                Before::Looked(Err(error)) => {
                    self.problem(&input.path, &error);
                    continue;
                }
            }
            files.push(ToRead { input, settled, stream, told: false });
            walk.inputs.push(Input { resume: from, ..(*input).clone() });
        }
        let new_only = self.wanted.args.new_only;
        let mut recorder = Recorder::new(&mut self.store, self.wanted.options, files, sink, new_only);
        let outcome = scanner(&walk, Some(&mut recorder))?;
        let done = recorder.finish(&outcome)?;
        self.totals.known += done.copies;
        self.totals.findings += done.findings;
        self.totals.new += done.new;
        let mut summary = done.summary;
        // Another batch numbers its sources anew.
        for code in summary.codes.values_mut() {
            code.prior_sources += std::mem::take(&mut code.sources).len() as u64;
        }
        self.outcome.summary.merge(summary);
        self.outcome.inputs.merge(outcome.inputs);
        Ok(())
    }

    /// What can be known of the inputs before they are scanned.
    fn before(&mut self, inputs: &[&Input]) -> Result<Vec<Before>, Error> {
        let rescan = self.wanted.args.rescan;
        if !self.looks {
            return Ok(inputs.iter().map(|_| Before::Unknown).collect());
        }
        let (looker, options) = (self.store.looker(), self.wanted.options);
        let mut before = scan::par_map(inputs, options, |input| match looker.goes_on(input) {
            Some((stream, from)) if !rescan => Before::GoesOn(stream, from),
            _ if matches!(input.kind, InputKind::File { .. }) => Before::Looked(look(looker, input, options)),
            _ => Before::Unknown,
        })?;
        // What another file of the batch may be a copy of is read from its begin, so that it counts once.
        let heads: Vec<u64> = before.iter().filter_map(Before::head).collect();
        for (input, before) in inputs.iter().zip(&mut before) {
            let Before::GoesOn(stream, _) = before else { continue };
            if !self.store.take(*stream, &heads) {
                *before = Before::Looked(look(self.store.looker(), input, options));
            }
        }
        Ok(before)
    }

    /// Notes an input that is not even scanned.
    fn problem(&mut self, path: &Path, error: &SourceError) {
        let problem = Problem::unread(Arc::new(Origin::path(path)), error);
        self.outcome.inputs.merge(problem.into());
    }
}

impl Before {
    /// The hash of the first bytes, where they are like those of something known.
    fn head(&self) -> Option<u64> {
        match self {
            Before::Looked(Ok(Look::Known(content, _))) => Some(content.head),
            _ => None,
        }
    }
}

/// What the bytes of the input say; a panic on the way is a problem of the input.
fn look(looker: Looker<'_>, input: &Input, options: &Options) -> Result<Look, SourceError> {
    let look = || looker.look(input, options);
    catch_unwind(AssertUnwindSafe(look)).unwrap_or(Err(SourceError::Panic))
}
