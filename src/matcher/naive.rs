//! The matcher's own definition: every wording tried everywhere, without anchors. What it finds is what the matcher has to
//! find wherever lines are no longer than what is looked at around a byte; tests and fuzzers hold them against each other.

use super::wording::WordingPart;
use super::*;

/// Tries every literal of every wording's first sentence wherever its text stands, without any anchor.
pub fn naive(matcher: &Matcher, bytes: &[u8]) -> Vec<Match> {
    let window = &Window::whole(bytes);
    let mut hits = Vec::new();
    let mut owners = Vec::new();
    for (wording, parts) in matcher.wordings.iter().map(|wording| &wording.parts).enumerate() {
        for (part, piece) in parts.iter().enumerate() {
            let WordingPart::Literal { keys, first_sentence: true, .. } = piece else { continue };
            // A closing mark alone stands everywhere and tells nothing.
            if keys.len() > 1 {
                owners.push((Placement { wording, part, offset: 0 }, keys));
            }
        }
    }
    // Every line is seen with all that may be wrapped around it, so that every literal is whole in some region.
    let mut messages = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let canon = Region::new(bytes, bounds::wrapped(window, at));
        for (owner, keys) in &owners {
            for key in memchr::memmem::find_iter(&canon.keys().bytes, keys) {
                hits.push((canon.text.raw_start(canon.keys().at(key)), *owner));
            }
        }
        at = bounds::line(window, at).end + 1;
    }
    hits.sort_by_key(|(at, owner)| (*at, owner.wording, owner.part));
    hits.dedup();
    for (at, owner) in hits {
        let line = Region::new(bytes, bounds::line(window, at));
        messages.extend(matcher.message_at(window, &line, &mut None, (at, line.key(at)), owner));
    }
    let digits = memchr::memmem::find_iter(bytes, CODE_PREFIX).filter(|at| code::may_be_code(bytes, *at));
    let codes =
        digits.filter_map(|at| matcher.code_at(bytes, &Region::new(bytes, bounds::line(window, at)), at));
    matcher.join(window, distinct(messages), codes.collect())
}
