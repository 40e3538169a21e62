//! Messages: which wordings are at the hits of an anchor.
//!
//! A hit and the placements that the prefilter left come in; [`Message`]s go out, and at the end each message
//! once. This file does not know codes.
//!
//! # On which text a wording is verified
//!
//! A message is usually on one line, so its wording is verified there first. But tools wrap long lines:
//!
//! ```text
//! User migadmin@contoso-src does not have the
//! replication role on server contoso-src.postgres.database.azure.com. Grant the
//! replication role before retrying migration.
//! ```
//!
//! If the line ends before the wording is decided, and neither this nor the next line starts a record, the
//! wording is verified again on the [wrapped lines](bounds::wrapped_lines). The result counts only if it
//! contains the hit: whether backslashes are escapes is decided by the region, so a message on other lines
//! must be read by what its own line shows.

use super::anchors::Placement;
use super::bounds::{self, Side};
use super::region::Region;
use super::wording::{MatchQuality, Verification, Wording, WordingMatch};
use super::work;
use crate::catalog::ArgValue;
use crate::input::Window;
use std::cmp::Reverse;
use std::ops::Range;

/// A wording found in a window.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Its raw bytes in the window.
    pub range: Range<usize>,
    /// The entry, by index.
    pub entry: usize,
    /// How well it agrees with the catalogue.
    pub quality: MatchQuality,
    /// Arguments by the entry's index.
    pub args: Vec<(usize, ArgValue)>,
}

/// Verifies wordings at one hit.
pub(super) struct Verifier<'a, 'b> {
    wordings: &'a [Wording],
    window: &'a Window<'b>,
    /// The line of the hit.
    line: &'a Region,
    /// The raw offset of the hit.
    at: usize,
    /// The normalized index of the hit in its line.
    index: usize,
    /// The lines around the hit, once they were needed.
    wrapped: Option<Region>,
}

impl<'a, 'b> Verifier<'a, 'b> {
    pub fn new(
        wordings: &'a [Wording],
        window: &'a Window<'b>,
        line: &'a Region,
        at: usize,
    ) -> Verifier<'a, 'b> {
        Verifier { wordings, window, line, at, index: line.index_of(at), wrapped: None }
    }

    /// Verifies the wording of `placement`, first on the line of the hit, then on the lines around it.
    pub fn message(&mut self, placement: Placement) -> Option<Message> {
        let bytes = self.window.bytes;
        let on_line = self.verify(self.line, self.index, placement);
        let ends_record = || bounds::ends_record(bytes, self.line.range.end);
        let unfinished = match &on_line {
            Verification::Mismatch => return None,
            // The first line of a record is the first line of its messages, too.
            Verification::Incomplete(Side::Before) => !bounds::starts_record(&bytes[self.line.range.clone()]),
            Verification::Incomplete(Side::After) => !ends_record(),
            // The sentences that are missing may be on the next line.
            Verification::Match(found) => found.cut && !ends_record(),
        };
        if unfinished && let Some(message) = self.wrapped_message(placement) {
            return Some(message);
        }
        match on_line {
            Verification::Match(found) => Some(self.found(self.line, placement, found)),
            Verification::Mismatch | Verification::Incomplete(_) => None,
        }
    }

    /// Verifies the wording of `placement` on the lines around the hit, if there are any.
    fn wrapped_message(&mut self, placement: Placement) -> Option<Message> {
        let range = bounds::wrapped_lines(self.window, self.at);
        if range == self.line.range {
            return None;
        }
        let wrapped = self.wrapped.take().unwrap_or_else(|| Region::new(self.window.bytes, range));
        let message = match self.verify(&wrapped, wrapped.index_of(self.at), placement) {
            Verification::Match(found) => Some(self.found(&wrapped, placement, found)),
            Verification::Mismatch | Verification::Incomplete(_) => None,
        };
        self.wrapped = Some(wrapped);
        message.filter(|message| message.range.contains(&self.at))
    }

    fn verify(&self, region: &Region, index: usize, placement: Placement) -> Verification {
        let wording = &self.wordings[placement.wording];
        wording.verify_at(&region.haystack(), placement.part, placement.offset, index)
    }

    fn found(&self, region: &Region, placement: Placement, found: WordingMatch) -> Message {
        Message {
            range: region.text.raw_start(found.start)..region.text.raw_end(found.end),
            entry: self.wordings[placement.wording].entry,
            quality: found.quality,
            args: found.args,
        }
    }
}

/// Returns each message once, in order: the longest of those that overlap, and of equal ones of one entry the
/// first.
///
/// One message may have hits at several places, and one wording may be a part of another. Messages of
/// different entries that have the same bytes all stay: a code next to them decides whose message it is.
pub(super) fn distinct(mut messages: Vec<Message>) -> Vec<Message> {
    messages.sort_by(|a, b| {
        let order = |message: &Message| (message.range.start, Reverse(message.range.end), message.quality);
        order(a).cmp(&order(b)).then(b.args.len().cmp(&a.args.len())).then(a.entry.cmp(&b.entry))
    });
    let mut kept: Vec<Message> = Vec::with_capacity(messages.len());
    for message in messages {
        let overlaps = |other: &Message| other.range.end > message.range.start;
        let Some(last) = kept.last().filter(|last| overlaps(last)) else {
            kept.push(message);
            continue;
        };
        let longer = message.range.len() > last.range.len();
        let twin = message.range == last.range
            && kept
                .iter()
                .rev()
                .take(8)
                .all(|other| other.entry != message.entry || other.range != message.range);
        if longer {
            // What it overlaps comes last: a message that is kept starts after all before it, or is their twin.
            while kept.last().is_some_and(overlaps) {
                work::add(1);
                kept.pop();
            }
            kept.push(message);
        } else if twin {
            kept.push(message);
        }
    }
    kept
}

/// Whether one of `messages`, which are in order, is of `entry` and near enough to `range` to belong to a
/// code there.
pub(super) fn is_near(messages: &[Message], range: &Range<usize>, entry: usize) -> bool {
    // The brackets around the digits count, too.
    let reach = bounds::MAX_LINK + 2;
    let floor = range.start.saturating_sub(reach + bounds::MAX_MESSAGE);
    let from = messages.partition_point(|message| message.range.start < floor);
    let candidates = messages[from..].iter().take_while(|message| message.range.start <= range.end + reach);
    candidates
        .into_iter()
        .inspect(|_| work::add(1))
        .any(|message| message.entry == entry && range.start <= message.range.end + reach)
}
