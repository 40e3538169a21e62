//! What all workers share, and how one window is scanned.
//!
//! A window comes in; a [`WindowOutput`] goes out, and its counts are added to the totals of the caller.
//! Where the window is from, a mapped file or a decoded stream, is not known here, nor which worker scans it.

use super::chunk::{FileEvent, WindowOutput};
use super::content::WindowHashes;
use super::numbering::{Source, Sources};
use super::options::Options;
use super::progress::Progress;
use super::rows::Rows;
use super::scheduler::Scheduler;
use super::sink::Encode;
use super::totals::WorkerTotals;
use crate::catalog::Code;
use crate::context::{ContextLinesReader, ContextReader};
use crate::error::SourceError;
use crate::finding::{Builder, Sanitizer};
use crate::input::Window;
use crate::matcher::{MatchId, MatchQuality, Matcher};
use crate::summary::MAX_SAMPLES;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What all workers of a scan share.
pub(super) struct Shared<'s, 'k> {
    pub matcher: &'s Matcher,
    pub options: &'s Options,
    pub progress: &'s Progress,
    pub sources: &'s Sources,
    /// Whether the sink receives every finding, so that all are kept until they are written, not only
    /// samples.
    pub keep_all: bool,
    /// How findings become rows, if the sink receives rows.
    pub encode: Option<Encode>,
    pub scheduler: Scheduler<'s, 'k>,
}

impl Shared<'_, '_> {
    /// Scans a window: counts what it finds and returns what has to be written in order. A panic becomes a
    /// problem of the source, and nothing is found in the window. If the scan has had its time to end, the window ends, too,
    /// which may hold a million findings: those that are done by then count, and the rest of the source is not read.
    pub fn scan(&self, totals: &mut WorkerTotals, source: &Source, window: &Window<'_>) -> WindowOutput {
        let result = catch_unwind(AssertUnwindSafe(|| self.find(totals, source, window)));
        result.unwrap_or_else(|_| {
            totals.broken(source, &SourceError::Panic);
            WindowOutput::empty(source)
        })
    }

    /// Returns whether what was read is no longer to be matched: the scan has had its time to end, or the sink has failed.
    fn out_of_time(&self) -> bool {
        self.progress.out_of_time() || self.scheduler.stopped()
    }

    /// From matches to findings. A finding is built without its text first: most logs repeat the same failure
    /// thousands of times, and a finding that is only counted needs none. The text is loaded for findings
    /// that are written or kept as samples, and for drifted ones, whose texts are compared with each other.
    fn find(&self, totals: &mut WorkerTotals, source: &Source, window: &Window<'_>) -> WindowOutput {
        let redactor = self.options.redactor.as_deref();
        let origin =
            redactor.map_or_else(|| source.origin.clone(), |known| Arc::new(known.origin(&source.origin)));
        let builder = Builder { matcher: self.matcher, origin };
        let mut sanitizer = Sanitizer::new(redactor);
        let reader = ContextReader::new(window, &self.options.timezone);
        let context_lines = self.options.context_lines;
        let mut lines_around = ContextLinesReader::new(window.bytes, context_lines);
        let (mut findings, mut rows) = (Vec::new(), Rows::default());
        let (mut line, mut counted) = (1, window.core.start);
        let stop = || self.out_of_time();
        let scanned = if stop() { None } else { self.matcher.scan_until(window, &stop) };
        let Some((matches, breaks)) = scanned else {
            self.interrupted(totals, source, window, window.core.start);
            return WindowOutput::empty(source);
        };
        let mut samples = SampleCounts::new(if matches.is_empty() { 0 } else { self.matcher.entries.len() });
        for found in matches {
            if stop() {
                self.interrupted(totals, source, window, found.range.start);
                // The window was not read whole, so it does not identify the file.
                return WindowOutput { findings, rows, lines: line - 1, ..WindowOutput::empty(source) };
            }
            line += breaks.between(window.bytes, counted, found.range.start);
            counted = found.range.start;
            let (what, range) = (found.id, found.range.clone());
            let mut finding = builder.without_text(found, window, &reader, line);
            if !self.options.filter.accepts(&finding) {
                continue;
            }
            let kept = samples.take(what) || self.keep_all;
            let shown = kept || self.encode.is_some();
            if shown || finding.wording == MatchQuality::Drifted {
                finding.load_text(&range, &reader);
            }
            if shown && context_lines > 0 {
                finding.context_lines = Some(Box::new(lines_around.read(&range)));
            }
            let entry = builder.entry(what);
            sanitizer.sanitize(&mut finding, entry);
            totals.summary.add(&finding, entry, source.number);
            if let Some(encode) = self.encode {
                rows.push(&finding, encode);
            }
            if kept {
                findings.push(finding);
            }
        }
        // No other window of the source needs the line count after its only window.
        let rest = if window.is_only() { 0 } else { breaks.between(window.bytes, counted, window.core.end) };
        let lines = line - 1 + rest;
        self.count(totals, window.core.len());
        WindowOutput {
            source: source.number,
            findings,
            rows,
            lines,
            event: self.window_event(source, window),
        }
    }

    /// Counts bytes that were scanned.
    fn count(&self, totals: &mut WorkerTotals, bytes: usize) {
        totals.bytes += bytes as u64;
        self.progress.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Records that `source` was not read from the place `until` of `window` on, because the scan is to end.
    fn interrupted(&self, totals: &mut WorkerTotals, source: &Source, window: &Window<'_>, until: usize) {
        let offset = window.base + until as u64;
        totals.broken(source, &SourceError::Interrupted { offset });
        self.count(totals, until - window.core.start);
    }

    /// The event that a window of an outer file was read, if files are identified.
    fn window_event(&self, source: &Source, window: &Window<'_>) -> Option<Box<FileEvent>> {
        let outer = self.options.identify && source.origin.member.is_none();
        outer.then(|| {
            let (source, hashes) = (source.clone(), WindowHashes::new(window));
            Box::new(FileEvent::Window { source, hashes })
        })
    }
}

/// How many findings of each entry and unknown code a window has had.
///
/// A source's first [`MAX_SAMPLES`] findings of a code are the only candidates for the code's samples, so
/// later ones need not be kept.
struct SampleCounts {
    entries: Vec<usize>,
    unknown: BTreeMap<Code, usize>,
}

impl SampleCounts {
    fn new(entries: usize) -> SampleCounts {
        SampleCounts { entries: vec![0; entries], unknown: BTreeMap::new() }
    }

    /// Counts a finding. Returns whether it may be one of the samples.
    fn take(&mut self, what: MatchId) -> bool {
        let count = match what {
            MatchId::Entry(index) => &mut self.entries[index],
            MatchId::Unknown(code) => self.unknown.entry(code).or_default(),
        };
        *count += 1;
        *count <= MAX_SAMPLES
    }
}
