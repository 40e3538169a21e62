//! Options: how to scan, and which findings count.
//!
//! A caller fills [`Options`]; workers read them. Where the values come from (arguments, a builder) is not
//! known here.

use crate::catalog::Severity;
use crate::finding::Finding;
use crate::input::{Globs, Limits, Signature};
use crate::redact::Redactor;
use crate::summary::LastAttempt;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// The most worker threads of a scan.
pub const MAX_THREADS: usize = 1024;

/// How to scan.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The most worker threads, up to [`MAX_THREADS`]; 0 is one for each core. No more are started than there
    /// are pieces of work.
    pub threads: usize,
    /// Map files into memory instead of reading them.
    pub mmap: bool,
    /// The core of a window in bytes. The default is [`WINDOW_BYTES`](super::WINDOW_BYTES) for files, less
    /// for decoded streams, and one window for a file that fits one document.
    pub window_bytes: Option<usize>,
    /// The zone of time stamps without one.
    pub timezone: TimeZone,
    /// Which findings count.
    pub filter: Filter,
    /// How many lines before and after a finding are read, at most
    /// [`MAX_LINES`](crate::context::lines::MAX_LINES).
    pub context_lines: usize,
    /// How far archives and compressed streams are unpacked.
    pub limits: Limits,
    /// Which members of archives are scanned.
    pub globs: Globs,
    /// Signatures of this program's own outputs, which are skipped where a walk finds them. Empty here, as
    /// this layer knows no format; the command line and the builder `Scan` fill it in.
    pub own_outputs: &'static [Signature],
    /// Replaces names by tokens in everything the scan returns. Secrets are masked with or without it.
    pub redactor: Option<Arc<Redactor>>,
    /// Compute the [`Content`](super::Content) of each file for the [`FileSink`](super::FileSink). Windows
    /// then have their default sizes.
    pub identify: bool,
}

impl Options {
    /// Changes some of the options: `Options::default().with(|options| options.threads = 2)`.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Options)) -> Options {
        change(&mut self);
        self
    }

    /// Returns how many threads may be started.
    pub(super) fn max_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.threads == 0 { cores() } else { self.threads };
        threads.min(MAX_THREADS)
    }

    /// Returns the core of a window in bytes; `default` unless another size is set.
    pub(super) fn core_bytes(&self, default: usize) -> usize {
        self.window_bytes.filter(|_| !self.identify).unwrap_or(default).max(1)
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
            own_outputs: &[],
            redactor: None,
            identify: false,
        }
    }
}

/// Which findings count.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Filter {
    /// Only these ids or codes; all if empty.
    pub codes: Vec<String>,
    /// Only findings of this severity or worse.
    pub severity: Option<Severity>,
    /// Only findings at this time or later.
    pub since: Option<Timestamp>,
    /// Only findings before this time.
    pub until: Option<Timestamp>,
    /// Drop findings without a time if `since` or `until` is set.
    pub drop_undated: bool,
    /// Only findings of this attempt.
    pub attempt: Option<LastAttempt>,
}

impl Filter {
    /// Returns whether a finding counts.
    pub(super) fn accepts(&self, finding: &Finding) -> bool {
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
