//! `scan --store`: which inputs are read, batch by batch, and what of it is kept.
//!
//! A batch is one scan and one transaction of the store, so that what is on the disk is always that of whole batches.

use super::args::{Format, Scan};
use super::{report, say};
use jiff::Timestamp;
use migsift::catalog::Catalog;
use migsift::error::{Error, SourceError};
use migsift::input::{Input, InputKind, Walk};
use migsift::report::History;
use migsift::scan::{Options, Outcome, Problem, Sink, Status};
use migsift::source::Origin;
use migsift::store::{self, Content, Decision, Key, Recorder, Select, Stat, Store, Totals};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// How much a batch reads, at most: bytes on the disk, and inputs. One input may be larger.
const BATCH: (u64, usize) = (1 << 30, 8_192);

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
}

/// Scans a part of what may be read.
type Scanner<'a> = dyn FnMut(&Walk, Option<&mut dyn Sink>) -> Result<Outcome, Error> + 'a;

/// Scans what the store does not know.
pub fn scan(
    mut store: Store,
    wanted: Stored<'_>,
    sink: Option<&mut dyn Sink>,
    mut scanner: impl FnMut(&Walk, Option<&mut dyn Sink>) -> Result<Outcome, Error>,
) -> Result<(Outcome, History), Error> {
    let fingerprint = wanted.catalog.fingerprint();
    let reads = key(wanted, &fingerprint);
    store.begin_run(&Timestamp::now().to_string(), &fingerprint, &reads)?;
    let mut run = Run { wanted, store, reads, outcome: Outcome::default(), totals: Totals::default() };
    run.all(sink, &mut scanner)?;
    let inputs = &run.outcome.inputs;
    run.totals.inputs = [inputs.scanned, inputs.partial, inputs.skipped, inputs.failed];
    run.totals.bytes = inputs.bytes;
    run.store.end_run(&Timestamp::now().to_string(), &run.totals, &run.outcome.inputs.problems)?;
    if !wanted.args.quiet {
        say(&outcome(&run.totals));
    }
    let history = report::history(&run.store, &Select::default(), wanted.args.outputs.makes(Format::Html))?;
    Ok((run.outcome, history))
}

/// The run in one line.
fn outcome(totals: &Totals) -> String {
    let [scanned, partial, _, failed] = totals.inputs;
    let [unchanged, known] = totals.unchanged;
    format!(
        "store: {scanned} inputs read, {partial} in part, {failed} not; {unchanged} unchanged, {known} known by content; \
         {} findings, {} new",
        totals.findings, totals.new
    )
}

/// All that changes what is found in the same bytes.
fn key(wanted: Stored<'_>, fingerprint: &str) -> Key {
    let (args, limits) = (wanted.args, &wanted.options.limits);
    let (version, zone) = (env!("CARGO_PKG_VERSION"), &args.timezone);
    let text = format!(
        "{version} {fingerprint} {zone} {:?} {:?} {} {limits:?}",
        args.walk.include, args.walk.exclude, args.context_lines
    );
    Key { text }
}

struct Run<'a> {
    wanted: Stored<'a>,
    store: Store,
    reads: Key,
    outcome: Outcome,
    totals: Totals,
}

impl Run<'_> {
    fn all(&mut self, mut sink: Option<&mut dyn Sink>, scanner: &mut Scanner<'_>) -> Result<(), Error> {
        let changed = self.changed()?;
        let mut rest = &changed[..];
        // What the walk has passed over belongs to the first batch.
        let mut skipped = (self.wanted.walk.skipped.clone(), true);
        while !rest.is_empty() || skipped.1 {
            let mut bytes = 0;
            let fits = |input: &&(Input, Option<Stat>)| {
                bytes += input.1.map_or(0, |stat| stat.size as u64);
                bytes <= BATCH.0
            };
            let count = rest.iter().take(BATCH.1).take_while(fits).count().max(1).min(rest.len());
            let (now, later) = rest.split_at(count);
            rest = later;
            let walk = Walk { skipped: std::mem::take(&mut skipped.0), ..Walk::default() };
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

    /// The inputs that are not as they were, with what the file system says of them.
    fn changed(&mut self) -> Result<Vec<(Input, Option<Stat>)>, Error> {
        let mut changed = Vec::new();
        self.store.begin()?;
        let walk = self.wanted.walk;
        for input in &walk.inputs {
            if self.store.holds(&input.path) {
                let path = input.path.clone();
                self.problem(&path, &SourceError::Passed("the store itself"));
                continue;
            }
            let regular = matches!(input.kind, InputKind::File { .. });
            let metadata = regular.then(|| std::fs::metadata(&input.path).ok()).flatten();
            let stat = metadata.map(|metadata| Stat::new(&metadata));
            let same = match &stat {
                Some(stat) if !self.wanted.args.rescan => {
                    self.store.unchanged(&input.path, stat, &self.reads)?
                }
                _ => false,
            };
            if same {
                self.totals.unchanged[0] += 1;
            } else {
                changed.push((input.clone(), stat));
            }
        }
        self.store.commit()?;
        Ok(changed)
    }

    fn batch(
        &mut self,
        inputs: &[(Input, Option<Stat>)],
        mut walk: Walk,
        sink: Option<&mut dyn Sink>,
        scanner: &mut Scanner<'_>,
    ) -> Result<(), Error> {
        self.store.begin()?;
        let mut streams: HashMap<Arc<Path>, i64> = HashMap::new();
        for (input, stat) in inputs {
            let Some(stat) = stat.filter(|_| matches!(input.kind, InputKind::File { .. })) else {
                walk.inputs.push(input.clone());
                continue;
            };
            let content = match self.content(input)? {
                Ok(content) => content,
                Err(error) => {
                    self.problem(&input.path, &error);
                    continue;
                }
            };
            let settled = stat.settled(Timestamp::now().as_nanosecond());
            let rescan = self.wanted.args.rescan;
            match self.store.claim(input, (&stat, settled), &content, &self.reads, rescan)? {
                Decision::Known => self.totals.unchanged[1] += 1,
                // Nothing can be found in it, and what comes into it meanwhile is for the next run.
                Decision::Read(stream) if stat.size == 0 => {
                    streams.insert(input.path.as_path().into(), stream);
                    self.outcome.inputs.scanned += 1;
                }
                Decision::Read(stream) => {
                    streams.insert(input.path.as_path().into(), stream);
                    walk.inputs.push(input.clone());
                }
            }
        }
        let new_only = self.wanted.args.new_only;
        let mut recorder = Recorder::new(&mut self.store, &self.reads, streams, sink, new_only);
        let mut outcome = scanner(&walk, Some(&mut recorder))?;
        let (summary, (findings, new)) = recorder.finish(&outcome)?;
        self.store.commit()?;
        self.totals.findings += findings;
        self.totals.new += new;
        let mut summary = if new_only { summary } else { std::mem::take(&mut outcome.summary) };
        // Another batch numbers its sources anew.
        for code in summary.codes.values_mut() {
            code.sources_before += std::mem::take(&mut code.sources).len() as u64;
        }
        self.outcome.summary.merge(summary);
        self.outcome.inputs.merge(outcome.inputs);
        Ok(())
    }

    /// What the bytes of the input say; a panic on the way is a problem of the input.
    fn content(&self, input: &Input) -> Result<Result<Content, SourceError>, Error> {
        let mut failed = None;
        let mut lengths = |head: &[u8]| {
            self.store.lengths(head).unwrap_or_else(|error| {
                failed = Some(error);
                Vec::new()
            })
        };
        let read = || store::content(input, self.wanted.options, &mut lengths);
        let content = catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(SourceError::Panic));
        failed.map_or(Ok(content), Err)
    }

    /// Notes an input that is not even scanned.
    fn problem(&mut self, path: &Path, error: &SourceError) {
        let by_rule = matches!(error, SourceError::OwnReport | SourceError::Passed(_));
        let status = if by_rule { Status::Skipped } else { Status::Failed };
        let (origin, reason) = (Arc::new(Origin::path(path)), error.to_string());
        let (skipped, failed) = (u64::from(by_rule), u64::from(!by_rule));
        let problems = vec![Problem { origin, status, reason, bytes: 0 }];
        let more = migsift::scan::Inputs { skipped, failed, problems, ..Default::default() };
        self.outcome.inputs.merge(more);
    }
}
