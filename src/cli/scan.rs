//! `scan`: from arguments to an exit code.

use super::args::{Format, Scan, Undated};
use super::exit::Exit;
use super::outputs::{self, Outputs, Wanted};
use super::paths::{self, Paths};
use super::progress::{self, Show};
use super::redaction::Redaction;
use super::signals::Signals;
use super::store::{Opening, Stored};
use super::{baseline, catalog, say, store};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use migsift::baseline::Baseline;
use migsift::catalog::{Catalog, Entry, Severity};
use migsift::context::time;
use migsift::error::Error;
use migsift::input::{InputKind, Walk};
use migsift::matcher::Matcher;
use migsift::print::safe;
use migsift::report::{Report, history};
use migsift::scan::{Filter, Options, Outcome, Progress, Sink, Status, scan};
use migsift::store::Store;
use migsift::summary::LastAttempt;
use std::io::IsTerminal;

/// How many inputs that were not read whole are named on standard error.
const MAX_TOLD: usize = 20;

/// Scans and prints.
pub fn run(args: &Scan) -> Result<Exit, Error> {
    let signals = Signals::take();
    let catalog = catalog::load(&args.catalog)?;
    if !args.quiet {
        for id in &catalog.replaced {
            say(&format!("the entry {id} is replaced by a later pattern file"));
        }
    }
    let baseline = baseline::load(args.judge.baseline.as_deref(), &catalog)?;
    for code in &args.code {
        let listed = catalog.entry(code).is_some() || code.len() == 6 && code.starts_with("603");
        if !listed {
            say(&format!("--code {}: no such entry; `migsift catalog list` shows them", safe::line(code)));
            return Ok(Exit::Usage);
        }
    }
    if let Some(message) =
        outputs::clash(&args.outputs, args.redact.iter().flatten().chain(&args.store).next())
    {
        say(&message);
        return Ok(Exit::Usage);
    }
    let ((filter, timezone), oldest) = match times(args).and_then(|times| Ok((times, retention(args)?))) {
        Ok(times) => times,
        Err(message) => {
            say(&message);
            return Ok(Exit::Usage);
        }
    };
    // It is looked through while the folders are walked.
    let opened = args.store.as_deref().map(|path| Opening::begin(path, args.wait)).transpose()?;
    let began = Timestamp::now();
    let paths = paths::named(args);
    if let Ok(paths) = &paths
        && walks_first(args)
    {
        paths.walk();
    }
    let store = opened.map(Opening::end).transpose()?;
    let paths = match paths {
        Ok(paths) => paths,
        Err(message) => {
            say(&message);
            return Ok(Exit::Usage);
        }
    };
    let redaction = args.redact.as_ref().map(|map| Redaction::new(map.as_deref())).transpose()?;
    let baseline = match &redaction {
        Some(redaction) => baseline.map(|known| known.redacted(&redaction.redactor, &catalog)),
        None => baseline,
    };
    let (mmap, limits) = (!args.no_mmap && may_map(), (&args.limits).into());
    let context_lines = args.context_lines as usize;
    let options = Options {
        threads: args.threads,
        mmap,
        window_bytes: None,
        timezone,
        filter,
        context_lines,
        limits,
        globs: paths.options.globs.clone(),
        redactor: redaction.as_ref().map(|redaction| redaction.redactor.clone()),
        identify: store.is_some(),
    };
    let matcher = Matcher::new(&catalog);
    let mut scan =
        Run { args, options, matcher, paths, walked: began, oldest, catalog, baseline, redaction, signals };
    if args.last_attempt {
        let mut inputs = scan.paths.walk().inputs.iter();
        if inputs.any(|input| !matches!(input.kind, InputKind::File { .. })) {
            say("--last-attempt reads the inputs twice, and streams can be read only once: name files");
            return Ok(Exit::Usage);
        }
        scan.options.filter.attempt = Some(scan.last_attempt()?);
    }
    let report = scan.print(store)?;
    if !args.quiet && args.outputs.format() != Format::Human {
        baseline::tell(args.judge.baseline.as_deref(), &report);
        let told = || report.inputs.problems.iter().filter(|p| args.verbose || p.status != Status::Skipped);
        let most = if args.verbose { usize::MAX } else { MAX_TOLD };
        for problem in told().take(most) {
            say(&format!("{}: {}: {}", problem.origin, problem.status.name(), problem.reason));
        }
        let more = told().count().saturating_sub(most);
        if more > 0 {
            say(&format!("and {more} more inputs; --verbose says all"));
        }
    }
    Ok(scan.signals.exit().unwrap_or_else(|| Exit::of_report(&report, &args.judge)))
}

/// Whether all is walked before any of it is scanned: for a bar that tells how much there is, for a store, for a second
/// scan of the same, and where files are written that the walk must not meet.
fn walks_first(args: &Scan) -> bool {
    let writes = args.outputs.output.is_some() || !args.outputs.report.is_empty() || args.redact.is_some();
    writes || args.store.is_some() || args.last_attempt || show(args).at_all()
}

/// The bar; what is to be shown to others names nothing there either.
fn show(args: &Scan) -> Show {
    Show { when: args.progress, quiet: args.quiet, named: args.redact.is_none() }
}

/// What counts, and the zone of times that name none.
fn times(args: &Scan) -> Result<(Filter, TimeZone), String> {
    let zone =
        time::zone(&args.timezone).map_err(|message| format!("--timezone: {}", safe::line(&message)))?;
    let bound = |flag: &str, text: &Option<String>| match text {
        Some(text) => {
            let found = time::bound(text, Timestamp::now(), &zone);
            found.map(Some).map_err(|message| format!("{flag}: {}", safe::line(&message)))
        }
        None => Ok(None),
    };
    let filter = Filter {
        codes: args.code.clone(),
        severity: args.severity.map(Into::into),
        since: bound("--since", &args.since)?,
        until: bound("--until", &args.until)?,
        drop_undated: args.undated == Undated::Drop,
        attempt: None,
    };
    Ok((filter, zone))
}

/// Since when what has vanished is kept.
fn retention(args: &Scan) -> Result<Option<Timestamp>, String> {
    let Some(text) = &args.retention else { return Ok(None) };
    let span = text.parse::<Span>().ok().filter(|span| span.is_positive());
    let oldest = span.and_then(|span| Timestamp::now().to_zoned(TimeZone::UTC).checked_sub(span).ok());
    let message = || format!("--retention: `{}` is no duration such as 90d, 12w or 36h", safe::line(text));
    oldest.map(|oldest| Some(oldest.timestamp())).ok_or_else(message)
}

struct Run<'a> {
    args: &'a Scan,
    options: Options,
    catalog: Catalog,
    baseline: Option<Baseline>,
    matcher: Matcher,
    paths: Paths,
    /// When the walk began.
    walked: Timestamp,
    oldest: Option<Timestamp>,
    redaction: Option<Redaction>,
    signals: Signals,
}

impl Run<'_> {
    /// Scans with the outputs that were asked for.
    fn print(&self, store: Option<Store>) -> Result<Report, Error> {
        let looked = |entry: &Entry| looked(self.args, entry);
        let (args, catalog) = (&self.args.outputs, &self.catalog);
        let (csv_raw, fail_on) = (self.args.csv_raw, self.args.judge.fail_on);
        let redaction = self.redaction.as_ref().map(|redaction| redaction.redactor.id());
        let silent = store.is_some() && silent(self.args);
        let wanted = Wanted { args, csv_raw, catalog, looked: &looked, fail_on, redaction, silent };
        let mut outputs = Outputs::new(wanted)?;
        let report = match store {
            Some(store) => {
                let (outcome, run) = self.stored(store, outputs.sink())?;
                Report { run: Some(run), ..self.report(outcome) }
            }
            None => self.report(self.scan(outputs.sink())?),
        };
        // Before the outputs, so that there is none whose tokens nobody can tell.
        if let Some(redaction) = &self.redaction {
            redaction.keep()?;
            redaction.warning().iter().for_each(|text| say(text));
        }
        outputs.finish(&report, wanted)?;
        Ok(report)
    }

    fn scan(&self, sink: Option<&mut dyn Sink>) -> Result<Outcome, Error> {
        match self.paths.walked() {
            Some(walk) => self.scan_walked(walk, &self.options, sink),
            None => scan(&self.matcher, self.paths.walker(), &self.options, sink, &self.counters()),
        }
    }

    fn scan_walked(
        &self,
        walk: &Walk,
        options: &Options,
        sink: Option<&mut dyn Sink>,
    ) -> Result<Outcome, Error> {
        let counters = self.counters();
        progress::with(show(self.args), walk, &counters, || {
            scan(&self.matcher, walk, options, sink, &counters)
        })
    }

    fn counters(&self) -> Progress {
        Progress::with_stop(self.signals.stop.clone())
    }

    /// Scans what the store does not know.
    fn stored(&self, store: Store, sink: Option<&mut dyn Sink>) -> Result<(Outcome, history::Run), Error> {
        let wanted = Stored {
            args: self.args,
            catalog: &self.catalog,
            options: &self.options,
            walk: self.paths.walk(),
            walked: self.walked,
            oldest: self.oldest,
        };
        store::scan(store, wanted, sink, |walk, sink| self.scan_walked(walk, &self.options, sink))
    }

    /// The last attempt of all that is asked for by time: whether it found what is asked for, or no longer.
    fn last_attempt(&self) -> Result<LastAttempt, Error> {
        let filter = Filter { codes: Vec::new(), severity: None, ..self.options.filter.clone() };
        // Attempts are told apart by the names that the logs give.
        let options = Options { filter, redactor: None, ..self.options.clone() };
        let outcome = self.scan_walked(self.paths.walk(), &options, None)?;
        Ok(outcome.summary.attempts.last())
    }

    fn report(&self, outcome: Outcome) -> Report {
        let mut report = Report::build(outcome, &self.catalog);
        baseline::apply(self.baseline.as_ref(), &mut report);
        report
    }
}

/// Whether a run with a store prints no report: a job that a clock has started, whose output nobody has asked for.
fn silent(args: &Scan) -> bool {
    args.outputs.format.is_none() && args.outputs.output.is_none() && !std::io::stdout().is_terminal()
}

/// Whether files can be mapped without that one which becomes shorter ends the program.
fn may_map() -> bool {
    #[cfg(unix)]
    return migsift::input::survive_shrinking().is_ok();
    #[cfg(not(unix))]
    false
}

/// Whether findings of the entry are among those that count.
fn looked(args: &Scan, entry: &Entry) -> bool {
    let least = args.severity.map(Severity::from);
    let code = args.code.is_empty() || args.code.iter().any(|code| **code == *entry.id);
    code && least.is_none_or(|least| entry.severity >= least)
}
