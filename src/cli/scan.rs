//! `scan`: from arguments to an exit code.

use super::args::{FailOn, Format, Scan, Undated};
use super::exit::Exit;
use super::outputs::{self, Outputs, Wanted};
use super::{catalog, paths, progress, say};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use migsift::catalog::{Catalog, Severity};
use migsift::context::time;
use migsift::error::Error;
use migsift::input::{InputKind, Walk};
use migsift::matcher::Matcher;
use migsift::print::safe;
use migsift::report::{CodeReport, Report};
use migsift::scan::{Filter, Options, Outcome, Progress, Sink, Status, scan};
use migsift::summary::LastAttempt;

/// How many inputs that were not read whole are named on standard error.
const MAX_TOLD: usize = 20;

/// Scans and prints.
pub fn run(args: &Scan) -> Result<Exit, Error> {
    let catalog = catalog::load(&args.catalog)?;
    if !args.quiet {
        for id in &catalog.replaced {
            say(&format!("the entry {id} is replaced by a later pattern file"));
        }
    }
    for code in &args.code {
        let listed = catalog.entry(code).is_some() || code.len() == 6 && code.starts_with("603");
        if !listed {
            say(&format!("--code {}: no such entry; `migsift catalog list` shows them", safe::line(code)));
            return Ok(Exit::Usage);
        }
    }
    if let Some(message) = outputs::clash(args) {
        say(&message);
        return Ok(Exit::Usage);
    }
    let (filter, timezone) = match times(args) {
        Ok(times) => times,
        Err(message) => {
            say(&message);
            return Ok(Exit::Usage);
        }
    };
    let (walk, globs) = match paths::walked(args) {
        Ok(walked) => walked,
        Err(message) => {
            say(&message);
            return Ok(Exit::Usage);
        }
    };
    let (mmap, limits) = (!args.no_mmap, (&args.limits).into());
    let context_lines = args.context_lines as usize;
    let options = Options {
        threads: args.threads,
        mmap,
        window_bytes: None,
        timezone,
        filter,
        context_lines,
        limits,
        globs,
    };
    let mut scan = Run { args, options, matcher: Matcher::new(&catalog), walk, catalog };
    if args.last_attempt {
        if scan.walk.inputs.iter().any(|input| !matches!(input.kind, InputKind::File { .. })) {
            say("--last-attempt reads the inputs twice, and streams can be read only once: name files");
            return Ok(Exit::Usage);
        }
        scan.options.filter.attempt = Some(scan.last_attempt()?);
    }
    let report = scan.print()?;
    if !args.quiet && args.format != Format::Human {
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
    Ok(exit(args, &report))
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

struct Run<'a> {
    args: &'a Scan,
    options: Options,
    catalog: Catalog,
    matcher: Matcher,
    walk: Walk,
}

impl Run<'_> {
    /// Scans with the outputs that were asked for.
    fn print(&self) -> Result<Report, Error> {
        let fails = |code: &CodeReport| fails(self.args.fail_on, code);
        let wanted = Wanted { args: self.args, catalog: &self.catalog, fails: &fails };
        let mut outputs = Outputs::new(wanted)?;
        let report = self.report(self.scan(outputs.sink())?);
        outputs.finish(&report, wanted)?;
        Ok(report)
    }

    fn scan(&self, sink: Option<&mut dyn Sink>) -> Result<Outcome, Error> {
        let counters = Progress::default();
        progress::with(self.args.progress, self.args.quiet, &self.walk, &counters, || {
            scan(&self.matcher, &self.walk, &self.options, sink, &counters)
        })
    }

    /// The last attempt of all that is asked for by time: whether it found what is asked for, or no longer.
    fn last_attempt(&self) -> Result<LastAttempt, Error> {
        let filter = Filter { codes: Vec::new(), severity: None, ..self.options.filter.clone() };
        let options = Options { filter, ..self.options.clone() };
        let counters = Progress::default();
        let outcome = progress::with(self.args.progress, self.args.quiet, &self.walk, &counters, || {
            scan(&self.matcher, &self.walk, &options, None, &counters)
        })?;
        Ok(outcome.summary.attempts.last())
    }

    fn report(&self, outcome: Outcome) -> Report {
        Report::build(outcome, &self.catalog)
    }
}

/// Whether a code that was found is one to fail on.
fn fails(on: FailOn, code: &CodeReport) -> bool {
    match on {
        FailOn::Error => code.severity == Severity::Error,
        FailOn::Warning => true,
        FailOn::Unknown => !code.known,
        FailOn::Never => false,
    }
}

fn exit(args: &Scan, report: &Report) -> Exit {
    let found = report.codes.iter().any(|code| fails(args.fail_on, code));
    if !report.inputs.complete() {
        Exit::Partial
    } else if found && !args.exit_zero {
        Exit::Found
    } else {
        Exit::Clean
    }
}
