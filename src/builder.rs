//! A scan as a value: set up step by step, then run over paths.
//!
//! A [`Scan`] holds the matcher and the options and calls [`scan`](crate::scan::scan()), which does the work.
//! It is a layer above the printers, because it adds what the scan itself does not know: how the outputs of
//! this program start, so that reports in a scanned folder are skipped.

use crate::error::Error;
use crate::input::{WalkOptions, Walker};
use crate::matcher::Matcher;
use crate::print;
use crate::scan::{Options, Outcome, Progress, Sink, scan};
use std::path::PathBuf;

/// A scan of files, folders and archives.
///
/// ```
/// use migsift::{Matcher, Report, Scan, catalog};
///
/// let catalog = catalog::builtin();
/// let outcome = Scan::new(&Matcher::new(catalog)).run(["samples"])?;
/// let report = Report::build(outcome, catalog);
/// assert_eq!(report.totals().failures, 8);
/// # Ok::<(), migsift::Error>(())
/// ```
///
/// Each [`Scan::run`] starts its own threads and ends them.
#[derive(Debug, Clone)]
#[must_use = "a scan does nothing until it is run"]
pub struct Scan<'s> {
    matcher: &'s Matcher,
    options: Options,
    walk: WalkOptions,
    progress: Option<&'s Progress>,
}

impl<'s> Scan<'s> {
    /// A scan for the messages of `matcher`, with the default options.
    pub fn new(matcher: &'s Matcher) -> Scan<'s> {
        Scan { matcher, options: Options::default(), walk: WalkOptions::default(), progress: None }
    }

    /// Sets how to scan: threads, time zone, filters, limits.
    pub fn options(self, options: Options) -> Scan<'s> {
        Scan { options, ..self }
    }

    /// Sets which files below folders are read. Its `stop` is that of [`Scan::progress`].
    pub fn walk_options(self, walk: WalkOptions) -> Scan<'s> {
        Scan { walk, ..self }
    }

    /// Counts in `progress` while the scan runs; setting its `stop` ends the scan soon.
    pub fn progress(self, progress: &'s Progress) -> Scan<'s> {
        Scan { progress: Some(progress), ..self }
    }

    /// Scans `paths`, folders with all below them, and counts what is found.
    ///
    /// # Errors
    ///
    /// [`Error::Threads`] if no threads can be started. An input that cannot be read is part of the outcome.
    pub fn run<P: Into<PathBuf>>(&self, paths: impl IntoIterator<Item = P>) -> Result<Outcome, Error> {
        self.start(paths, None)
    }

    /// The same, and passes each finding to `sink` in the order path, member, offset. A sink may be a
    /// closure:
    ///
    /// ```
    /// use migsift::{Finding, Matcher, Scan, catalog};
    ///
    /// let mut places = Vec::new();
    /// let matcher = Matcher::new(catalog::builtin());
    /// Scan::new(&matcher).run_with(["samples"], |finding: &Finding| {
    ///     places.push(format!("{}:{}: {}", finding.origin, finding.line, finding.id));
    ///     Ok(())
    /// })?;
    /// assert_eq!(places.len(), 17);
    /// # Ok::<(), migsift::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Scan::run`]; and an error of the sink, which ends the scan.
    pub fn run_with<P: Into<PathBuf>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        mut sink: impl Sink,
    ) -> Result<Outcome, Error> {
        self.start(paths, Some(&mut sink))
    }

    fn start<P: Into<PathBuf>>(
        &self,
        paths: impl IntoIterator<Item = P>,
        sink: Option<&mut dyn Sink>,
    ) -> Result<Outcome, Error> {
        let paths: Vec<PathBuf> = paths.into_iter().map(Into::into).collect();
        let unseen = Progress::default();
        let progress = self.progress.unwrap_or(&unseen);
        let walk = WalkOptions { stop: progress.stop.clone(), ..self.walk.clone() };
        let options = Options { own_outputs: print::own_outputs(), ..self.options.clone() };
        scan(self.matcher, Walker::new(&paths, &walk), &options, sink, progress)
    }
}
