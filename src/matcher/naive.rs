//! The definition of the matcher: every wording verified at every place, without anchors, prefilter or
//! windows.
//!
//! Bytes come in, the matches in them go out, slowly. The matcher must find the same on any text whose lines
//! are no longer than the matcher looks around a hit; property tests and fuzzers compare both. So a defect of
//! the choice of anchors, of the prefilter or of the searcher shows as a difference. The verification of
//! wordings, the judging of codes and the joining of both are shared with the matcher: their tests are
//! examples.

use super::anchors::Placement;
use super::messages::{Verifier, distinct};
use super::region::Region;
use super::wording::WordingPart;
use super::{Match, Matcher, bounds};
use crate::input::Window;

/// Verifies each wording wherever the text of a literal of its first sentence is.
pub fn naive(matcher: &Matcher, bytes: &[u8]) -> Vec<Match> {
    let window = &Window::whole(bytes);
    let mut messages = Vec::new();
    for (at, placement) in hits(matcher, window) {
        let line = Region::new(bytes, bounds::line(window, at));
        messages.extend(Verifier::new(&matcher.wordings, window, &line, at).message(placement));
    }
    let mut candidates = Vec::new();
    matcher.code_anchors.each(bytes, 0..bytes.len(), |candidate| candidates.push(candidate));
    candidates.sort_unstable();
    candidates.dedup_by_key(|candidate| candidate.at);
    let line = |at| Region::new(bytes, bounds::line(window, at));
    let codes = candidates.into_iter().filter_map(|code| matcher.code_at(bytes, &line(code.at), code));
    matcher.join(window, distinct(messages), codes.collect(), &|| false).unwrap_or_default()
}

/// Returns all raw offsets of literals of first sentences, with the literal.
fn hits(matcher: &Matcher, window: &Window<'_>) -> Vec<(usize, Placement)> {
    let mut literals = Vec::new();
    for (wording, parts) in matcher.wordings.iter().map(|wording| &wording.parts).enumerate() {
        for (part, kind) in parts.iter().enumerate() {
            let WordingPart::Literal { normalized, first_sentence: true, .. } = kind else { continue };
            // A closing mark alone is everywhere and proves nothing.
            if normalized.len() > 1 {
                literals.push((Placement { wording, part, offset: 0 }, normalized));
            }
        }
    }
    // Each line is read with all lines that its message may be wrapped over, so that every literal is whole
    // in some region.
    let (bytes, mut hits, mut at) = (window.bytes, Vec::new(), 0);
    while at < bytes.len() {
        let region = Region::new(bytes, bounds::wrapped_lines(window, at));
        for (placement, literal) in &literals {
            for index in memchr::memmem::find_iter(&region.normalized().bytes, literal) {
                hits.push((region.text.raw_start(region.normalized().text_index(index)), *placement));
            }
        }
        at = bounds::line(window, at).end + 1;
    }
    hits.sort_by_key(|(at, placement)| (*at, placement.wording, placement.part));
    hits.dedup();
    hits
}
