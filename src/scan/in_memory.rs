//! Findings of bytes in memory, one after the other.
//!
//! A matcher and the bytes of one log come in; an iterator of [`Finding`]s comes out. The log is cut into the same windows
//! as a file, so that the findings are those of a scan of the same bytes, and no more than one window of them is held.
//! Nothing is unpacked or transcoded here, and no thread is started: scan a file for that.

use super::WINDOW_BYTES;
use crate::context::ContextReader;
use crate::finding::{Builder, Finding, Sanitizer};
use crate::input::{MAX_WHOLE_BYTES, Window};
use crate::matcher::{Matcher, bounds};
use crate::source::Origin;
use jiff::tz::TimeZone;
use std::iter::FusedIterator;
use std::path::Path;
use std::sync::Arc;

impl Matcher {
    /// Finds the failures in the bytes of a log, in their order.
    ///
    /// Passwords, keys and tokens are masked. Time stamps without a zone are read as UTC, and the log is named `-`;
    /// [`Findings::timezone`] and [`Findings::named`] change that.
    ///
    /// ```
    /// use migsift::{Matcher, catalog};
    ///
    /// let matcher = Matcher::new(catalog::builtin());
    /// let log = b"2024-06-06 21:42:53 ERROR 603104: Missing Replication Role.\n";
    /// let finding = matcher.findings(log).next().expect("a finding");
    /// assert_eq!((&*finding.id, finding.line), ("603104", 1));
    /// ```
    pub fn findings<'m, 'b>(&'m self, bytes: &'b [u8]) -> Findings<'m, 'b> {
        Findings {
            matcher: self,
            bytes,
            zone: TimeZone::UTC,
            origin: Arc::new(Origin::path(Path::new("-"))),
            next: 0,
            lines: 0,
            found: Vec::new().into_iter(),
        }
    }
}

/// The findings of bytes in memory; made by [`Matcher::findings`].
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct Findings<'m, 'b> {
    matcher: &'m Matcher,
    bytes: &'b [u8],
    zone: TimeZone,
    origin: Arc<Origin>,
    /// The offset at which the next window's core starts.
    next: usize,
    /// The line breaks before it.
    lines: u64,
    /// What the last window has left.
    found: std::vec::IntoIter<Finding>,
}

impl Findings<'_, '_> {
    /// Names the log in its findings.
    pub fn named(self, path: impl AsRef<Path>) -> Self {
        Findings { origin: Arc::new(Origin::path(path.as_ref())), ..self }
    }

    /// Reads time stamps without a zone in this one.
    pub fn timezone(self, zone: TimeZone) -> Self {
        Findings { zone, ..self }
    }

    /// Scans the window whose core starts at `next`. A log that is short enough to be one document is one window.
    fn scan_window(&mut self) {
        let (start, length) = (self.next, self.bytes.len());
        let whole = (length as u64 <= MAX_WHOLE_BYTES).then_some(self.bytes);
        let end = if whole.is_some() { length } else { length.min(start + WINDOW_BYTES) };
        let base = start.saturating_sub(bounds::MARGIN);
        let bytes = &self.bytes[base..length.min(end + bounds::MARGIN)];
        let window = Window { bytes, base: base as u64, core: start - base..end - base, whole };

        let builder = Builder { matcher: self.matcher, origin: self.origin.clone() };
        let reader = ContextReader::new(&window, &self.zone);
        let mut sanitizer = Sanitizer::new(None);
        let (matches, breaks) = self.matcher.scan_lines(&window);
        let (mut counted, mut found) = (window.core.start, Vec::with_capacity(matches.len()));
        for matched in &matches {
            self.lines += breaks.between(window.bytes, counted, matched.range.start);
            counted = matched.range.start;
            let mut finding = builder.build(matched, &window, &reader, self.lines + 1);
            sanitizer.sanitize(&mut finding, builder.entry(matched.id));
            found.push(finding);
        }
        self.lines += breaks.between(window.bytes, counted, window.core.end);
        self.next = end;
        self.found = found.into_iter();
    }
}

impl Iterator for Findings<'_, '_> {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        loop {
            if let Some(finding) = self.found.next() {
                return Some(finding);
            }
            if self.next >= self.bytes.len() {
                return None;
            }
            self.scan_window();
        }
    }
}

impl FusedIterator for Findings<'_, '_> {}
