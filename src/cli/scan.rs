//! `scan`: from arguments to an exit code.
//!
//! [`run`] is the order of the steps: check the arguments, open the store while the folders are walked,
//! prepare the matcher, scan with the outputs as sink, print, report problems. Scanning itself is the
//! library's; batches of a store are in `store.rs`.

use super::args::ScanArgs;
use super::claims::{Claims, MainOutput};
use super::exit::{CommandError, Exit, UsageError};
use super::outputs::{OutputRequest, Outputs};
use super::paths::Paths;
use super::progress::{self, ProgressDisplay};
use super::redaction::Redaction;
use super::signals::{self, Signals};
use super::store::{OpeningStore, StoreScan};
use super::times::Times;
use super::{baseline, catalog, clock, say, store};
use jiff::Timestamp;
use migsift::baseline::Baseline;
use migsift::catalog::{Catalog, Entry, Severity};
use migsift::error::Error;
use migsift::input::{InputKind, Walk};
use migsift::matcher::Matcher;
use migsift::print::csv::Formulas;
use migsift::print::{self, Format, safe};
use migsift::report::{Report, history};
use migsift::scan::{Options, Outcome, Progress, Sink, Status, scan};
use migsift::store::{Store, WhenBusy};
use migsift::summary::LastAttempt;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many inputs that were not read to their end are listed on standard error.
const MAX_LISTED: usize = 20;

/// Scans and prints.
pub fn run(args: &ScanArgs) -> Result<Exit, CommandError> {
    let signals = Signals::register();
    let loaded = load_catalog(args).and_then(|catalog| {
        let baseline = baseline::load(args.judge.baseline.as_deref(), &catalog)?;
        Ok((catalog, baseline))
    });
    let (catalog, baseline) = match (loaded, signals.exit()) {
        // A file that was being waited for: nothing can be scanned without it.
        (Err(error), Some(exit)) => {
            say(&error.to_string());
            return Ok(exit);
        }
        (loaded, _) => loaded?,
    };
    check_codes(args, &catalog)?;
    let times = Times::parse(args)?;
    let OpenInputs { paths, walk_start, store } = OpenInputs::open(args)?;
    let redaction = args.redact.as_ref().map(|map| Redaction::new(map.as_deref())).transpose()?;
    let baseline = match &redaction {
        Some(redaction) => baseline.map(|known| known.redacted(&redaction.redactor, &catalog)),
        None => baseline,
    };
    let options = options(args, &times, &paths, redaction.as_ref(), store.as_ref());
    let matcher = Matcher::new(&catalog);
    let oldest = times.oldest;
    let mut scan =
        ScanRun { args, options, catalog, baseline, matcher, paths, walk_start, oldest, redaction, signals };
    if args.last_attempt {
        scan.select_last_attempt()?;
    }
    let report = scan.print(store)?;
    report_problems(args, &report);
    Ok(scan.signals.exit().unwrap_or_else(|| Exit::of_report(&report, &args.judge)))
}

fn load_catalog(args: &ScanArgs) -> Result<Catalog, Error> {
    let catalog = catalog::load(&args.catalog)?;
    if !args.quiet {
        for id in &catalog.replaced {
            say(&format!("the entry {id} is replaced by a later pattern file"));
        }
    }
    Ok(catalog)
}

/// Checks that `--code` names entries, or codes that a scan finds without an entry.
fn check_codes(args: &ScanArgs, catalog: &Catalog) -> Result<(), UsageError> {
    for code in &args.code {
        if catalog.entry(code).is_none() && !catalog.is_code(code) {
            let code = safe::line(code);
            let text = format!("--code {code}: no such entry; `migsift catalog list` lists them");
            return Err(UsageError::new(text));
        }
    }
    Ok(())
}

/// What is read: paths, and the store that knows what need not be.
struct OpenInputs {
    paths: Paths,
    /// When the walk started.
    walk_start: Timestamp,
    store: Option<Store>,
}

impl OpenInputs {
    /// Opens the store and walks the paths, at the same time. The store is locked first, so that no other run
    /// can record what this one is about to find.
    fn open(args: &ScanArgs) -> Result<OpenInputs, CommandError> {
        let mut paths = Paths::of_scan(args)?;
        let claims = claims(args, &paths);
        claims.check()?;
        paths.options.outputs = claims.outputs();
        let opening = args.store.as_deref().map(|path| open_store(path, args)).transpose()?.flatten();
        let walk_start = clock::now();
        if walks_first(args) || paths.is_interrupted() {
            paths.walk();
        }
        let store = match opening.map(OpeningStore::finish).transpose()? {
            Some(None) => {
                say("store: interrupted while it was checked; nothing is recorded");
                None
            }
            store => store.flatten(),
        };
        Ok(OpenInputs { paths, walk_start, store })
    }
}

/// Opens the store; returns none if the wait for its end in another run was interrupted. The scan then lists
/// what it would have read.
fn open_store(path: &Path, args: &ScanArgs) -> Result<Option<OpeningStore>, Error> {
    let stop: &AtomicBool = signals::stop();
    let when_busy = if args.wait { WhenBusy::Wait(stop) } else { WhenBusy::Fail };
    match OpeningStore::start(path, when_busy) {
        Err(Error::Busy { file }) if args.wait && stop.load(Ordering::Relaxed) => {
            say(&format!("{file}: interrupted while another run uses the store; nothing is recorded"));
            Ok(None)
        }
        opening => opening.map(Some),
    }
}

/// What the command reads and writes.
fn claims(args: &ScanArgs, paths: &Paths) -> Claims {
    let mut claims = Claims::default();
    paths.claim(args, &mut claims);
    catalog::claim(&args.catalog, &mut claims);
    args.judge.baseline.iter().for_each(|path| claims.reads("--baseline", path));
    let silent = args.store.is_some() && is_silent(args);
    claims.writes_outputs(&args.outputs, if silent { MainOutput::Silent } else { MainOutput::Printed });
    args.redact.iter().flatten().for_each(|map| claims.writes("--redact=", map));
    args.store.iter().for_each(|store| claims.writes_store(store));
    claims
}

/// Whether all is walked before any of it is scanned: for a progress bar with a total, for a store, for a
/// second scan of the same inputs, and if files are written that the walk must not find.
fn walks_first(args: &ScanArgs) -> bool {
    let writes = args.outputs.output.is_some() || !args.outputs.report.is_empty() || args.redact.is_some();
    writes || args.store.is_some() || args.last_attempt || progress_display(args).is_enabled()
}

/// The progress bar. With redaction it shows no paths either.
fn progress_display(args: &ScanArgs) -> ProgressDisplay {
    ProgressDisplay { when: args.progress, quiet: args.quiet, show_paths: args.redact.is_none() }
}

fn options(
    args: &ScanArgs,
    times: &Times,
    paths: &Paths,
    redaction: Option<&Redaction>,
    store: Option<&Store>,
) -> Options {
    Options::default().with(|options| {
        options.threads = args.threads;
        options.mmap = !args.no_mmap && can_map();
        options.timezone = times.zone.clone();
        options.filter = times.filter.clone();
        options.context_lines = args.context_lines as usize;
        options.limits = (&args.limits).into();
        options.globs = paths.options.globs.clone();
        options.own_outputs = print::own_outputs();
        options.redactor = redaction.map(|redaction| redaction.redactor.clone());
        options.identify = store.is_some();
    })
}

/// Whether files can be mapped so that one that is truncated meanwhile does not end the program.
fn can_map() -> bool {
    #[cfg(unix)]
    return migsift::input::survive_shrinking().is_ok();
    #[cfg(not(unix))]
    false
}

/// A scan with everything that it needs.
struct ScanRun<'a> {
    args: &'a ScanArgs,
    options: Options,
    catalog: Catalog,
    baseline: Option<Baseline>,
    matcher: Matcher,
    paths: Paths,
    walk_start: Timestamp,
    oldest: Option<Timestamp>,
    redaction: Option<Redaction>,
    signals: Signals,
}

impl ScanRun<'_> {
    /// Scans with the outputs that were asked for.
    fn print(&self, store: Option<Store>) -> Result<Report, Error> {
        let selected = |entry: &Entry| is_selected(self.args, entry);
        let request = OutputRequest {
            args: &self.args.outputs,
            formulas: if self.args.csv_raw { Formulas::Keep } else { Formulas::Escape },
            catalog: &self.catalog,
            selected: &selected,
            fail_on: self.args.judge.fail_on,
            redaction: self.redaction.as_ref().map(|redaction| redaction.redactor.id()),
            silent: self.args.store.is_some() && is_silent(self.args),
        };
        let mut outputs = Outputs::new(request)?;
        let report = match store {
            Some(store) => {
                let (outcome, run) = self.scan_with(store, outputs.sink())?;
                let mut report = self.report(outcome);
                report.run = Some(run);
                report
            }
            None => self.report(self.scan(outputs.sink())?),
        };
        // Before the outputs, so that every token in an output can be resolved.
        if let Some(redaction) = &self.redaction {
            redaction.save()?;
            redaction.warning().iter().for_each(|text| say(text));
        }
        outputs.finish(&report, request)?;
        Ok(report)
    }

    fn scan(&self, sink: Option<&mut dyn Sink>) -> Result<Outcome, Error> {
        match self.paths.walked() {
            Some(walk) => self.scan_walk(walk, &self.options, sink),
            None => scan(&self.matcher, self.paths.walker(), &self.options, sink, &self.counters()),
        }
    }

    fn scan_walk(
        &self,
        walk: &Walk,
        options: &Options,
        sink: Option<&mut dyn Sink>,
    ) -> Result<Outcome, Error> {
        let counters = self.counters();
        progress::with(progress_display(self.args), walk, &counters, || {
            scan(&self.matcher, walk, options, sink, &counters)
        })
    }

    fn counters(&self) -> Progress {
        Progress::with_stop(signals::stop().clone())
    }

    /// Scans what the store does not know.
    fn scan_with(&self, store: Store, sink: Option<&mut dyn Sink>) -> Result<(Outcome, history::Run), Error> {
        let request = StoreScan {
            args: self.args,
            catalog: &self.catalog,
            options: &self.options,
            walk: self.paths.walk(),
            walk_start: self.walk_start,
            oldest: self.oldest,
        };
        store::scan(store, request, sink, |walk, sink| self.scan_walk(walk, &self.options, sink))
    }

    /// Restricts the scan to the last attempt, which a separate scan finds.
    fn select_last_attempt(&mut self) -> Result<(), CommandError> {
        let mut inputs = self.paths.walk().inputs.iter();
        if inputs.any(|input| !matches!(input.kind, InputKind::File { .. })) {
            let text = "--last-attempt reads the inputs twice, and streams can be read only once: name files";
            return Err(UsageError::new(text).into());
        }
        self.options.filter.attempt = Some(self.last_attempt()?);
        Ok(())
    }

    /// Finds the last attempt in the time that was asked for. Codes and severities do not matter: the last
    /// attempt may have none of those that were asked for.
    fn last_attempt(&self) -> Result<LastAttempt, Error> {
        let mut options = self.options.clone();
        options.filter.codes.clear();
        options.filter.severity = None;
        // Attempts are distinguished by names in the logs, not by tokens.
        options.redactor = None;
        let outcome = self.scan_walk(self.paths.walk(), &options, None)?;
        Ok(outcome.summary.attempts.last())
    }

    fn report(&self, outcome: Outcome) -> Report {
        let mut report = Report::build(outcome, &self.catalog);
        baseline::apply(self.baseline.as_ref(), &mut report);
        report
    }
}

/// Whether a run with a store prints no report: it was started by a scheduler, and nobody asked for an
/// output.
fn is_silent(args: &ScanArgs) -> bool {
    args.outputs.format.is_none() && args.outputs.output.is_none() && !std::io::stdout().is_terminal()
}

/// Whether findings of the entry pass the filters.
fn is_selected(args: &ScanArgs, entry: &Entry) -> bool {
    let severity = args.severity.map(Severity::from);
    let code = args.code.is_empty() || args.code.iter().any(|code| **code == *entry.id);
    code && severity.is_none_or(|severity| entry.severity >= severity)
}

/// Reports inputs that were not read to their end on standard error, unless the human report lists them.
fn report_problems(args: &ScanArgs, report: &Report) {
    if args.quiet || args.outputs.format() == Format::Human {
        return;
    }
    baseline::report_expired(args.judge.baseline.as_deref(), report);
    let problems = report.inputs.problems.iter();
    let problems: Vec<_> =
        problems.filter(|problem| args.verbose || problem.status != Status::Skipped).collect();
    let listed = if args.verbose { problems.len() } else { problems.len().min(MAX_LISTED) };
    for problem in &problems[..listed] {
        say(&format!("{}: {}: {}", problem.origin, problem.status.name(), problem.reason));
    }
    let more = problems.len() - listed;
    if more > 0 {
        say(&format!("and {more} more inputs; --verbose lists all"));
    }
}
