//! The second half of the prefilter: rules out hits of an anchor by the raw bytes next to them.
//!
//! A hit of an anchor in raw bytes comes in; the [placements](super::anchors::Placement) of the anchor that
//! the bytes around the hit allow go out, one by one. Nothing is unescaped or normalized here, and lines are
//! not bounded. This file does not know which wording a placement belongs to.
//!
//! # Idea
//!
//! A frequent anchor such as `erve`, a part of "server", has many placements: "exists on the target server.",
//! "The password for server {server} is incorrect.", and dozens more. Nearly all of its hits in a log are
//! none of them. Most are refused here, in two steps:
//!
//! 1. [`NeighborFilter`] looks at the four normalized bytes on either side of the hit. For each of these
//!    eight neighbors it has a table from a byte to the set of placements that allow that byte there, 32
//!    placements to a word. The sets are intersected: eight loads and eight ANDs judge 32 placements at once,
//!    and most hits end after two.
//! 2. [`plausible`] compares what is left, placement by placement, up to 24 bytes to either side, and checks
//!    word boundaries.
//!
//! For example, in the literal `existsonthetargetserver.` the left neighbors of `erve` are `s`, `t`, `e` and
//! `g`, the nearest first; the right ones are `r` and `.`, and then anything. The hit in "on the target
//! servers" has `r` and `s` on its right, so the second neighbor rules this placement out.
//!
//! # Invariant: no false refusals
//!
//! A refused placement must be one that stage 2 would refuse as well, so everything in doubt is allowed:
//!
//! - Case is ignored: the first letter of a word may have either.
//! - Bytes that normalizing drops anywhere (blanks, quotes, hyphens, asterisks) are skipped.
//! - A byte that may start or end an escape, a contraction, a plural `(s)` or a character beyond ASCII ends
//!   the comparison on its side: it rules nothing out.
//! - Reading backward, the end of an escape looks like a letter or a digit: in `\nserver` the `n` is a line
//!   break, in `\u0041server` the `1` is an `A`. If the left side rules something out and an escape may end
//!   there, the left side does not count.
//!
//! The test `nothing_plausible_is_refused` below checks step 1 against step 2; the test of the matcher
//! against `naive` checks both against trying everything.

use super::bytes::is_word;
use super::work;

/// How many neighbors on each side are looked up.
const NEIGHBORS: usize = 4;
/// How many placements are in one set: the bits of a word.
const SET_SIZE: usize = 32;
/// How many bytes [`plausible`] compares on each side: what agrees so far is nearly always the literal.
const MAX_COMPARED: usize = 24;
/// How far back an escape starts that ends before a place, in bytes.
const MAX_ESCAPE: usize = 8;

/// The placements of one anchor, by the bytes that they allow next to it.
#[derive(Debug, Clone, Default)]
pub struct NeighborFilter(Vec<PlacementSet>);

/// Up to 32 placements. For each neighbor, the nearest first, and each byte: the placements that allow it
/// there, as bits.
#[derive(Debug, Clone)]
struct PlacementSet {
    all: u32,
    before: [[u32; 128]; NEIGHBORS],
    after: [[u32; 128]; NEIGHBORS],
}

/// The normalized bytes of a literal on both sides of an anchor in it.
#[derive(Debug, Clone, Copy)]
pub struct Neighbors<'k> {
    /// The bytes before the anchor, the nearest last.
    pub before: &'k [u8],
    /// The bytes after the anchor.
    pub after: &'k [u8],
}

impl NeighborFilter {
    /// Builds the filter of an anchor from the neighbors at each of its placements.
    pub fn new<'k>(placements: impl Iterator<Item = Neighbors<'k>>) -> NeighborFilter {
        let placements: Vec<_> = placements.collect();
        let sets = placements.chunks(SET_SIZE).map(|placements| {
            let all = u32::MAX >> (SET_SIZE - placements.len());
            let mut set = PlacementSet { all, before: [[0; 128]; NEIGHBORS], after: [[0; 128]; NEIGHBORS] };
            for (i, neighbors) in placements.iter().enumerate() {
                PlacementSet::allow(&mut set.before, neighbors.before.iter().rev(), 1 << i);
                PlacementSet::allow(&mut set.after, neighbors.after.iter(), 1 << i);
            }
            set
        });
        NeighborFilter(sets.collect())
    }

    /// Returns the first placement, by index from `first` on, that the bytes around the anchor at
    /// `start..end` of `raw` allow and that `confirm` confirms.
    pub fn placement(
        &self,
        raw: &[u8],
        (start, end): (usize, usize),
        first: usize,
        mut confirm: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        // Nearly all hits end here; loops are faster than iterators within iterators.
        for (number, set) in self.0.iter().enumerate().skip(first / SET_SIZE) {
            let from = first.saturating_sub(number * SET_SIZE);
            let mut left = set.allowed(raw, start, end) & (u32::MAX << from);
            while left != 0 {
                let placement = number * SET_SIZE + left.trailing_zeros() as usize;
                if confirm(placement) {
                    return Some(placement);
                }
                left &= left - 1;
            }
        }
        None
    }
}

impl PlacementSet {
    /// Allows the placement `bit` to have `bytes` next to the anchor, and anything after their end.
    fn allow<'k>(neighbors: &mut [[u32; 128]; NEIGHBORS], mut bytes: impl Iterator<Item = &'k u8>, bit: u32) {
        for neighbor in neighbors {
            match bytes.next() {
                Some(byte) => neighbor[usize::from(byte.to_ascii_lowercase() & 127)] |= bit,
                None => neighbor.iter_mut().for_each(|placements| *placements |= bit),
            }
        }
    }

    /// Returns the placements that the raw bytes before `start` and from `end` on allow.
    fn allowed(&self, raw: &[u8], start: usize, end: usize) -> u32 {
        let mut left = self.all;
        let mut neighbors = self.after.iter();
        for byte in &raw[end..] {
            work::add(1);
            match FOLDED[usize::from(*byte)] {
                SKIPPED => continue,
                OPEN => break,
                folded => match neighbors.next() {
                    Some(neighbor) => left &= neighbor[usize::from(folded & 127)],
                    None => break,
                },
            }
            if left == 0 {
                return 0;
            }
        }
        let by_right_side = left;
        let (mut neighbors, mut stop) = (self.before.iter(), start);
        for byte in raw[..start].iter().rev() {
            work::add(1);
            match FOLDED[usize::from(*byte)] {
                SKIPPED => {}
                OPEN => break,
                folded => match neighbors.next() {
                    Some(neighbor) => left &= neighbor[usize::from(folded & 127)],
                    None => break,
                },
            }
            stop -= 1;
            if left == 0 {
                break;
            }
        }
        if left != by_right_side && may_end_escape(raw, stop) { by_right_side } else { left }
    }
}

/// Whether the end of an escape (`\u0027`, `&#39;`, a colour) may be before `end`: it looks like any letter
/// or digit.
fn may_end_escape(raw: &[u8], end: usize) -> bool {
    let starts_escape = |byte: &u8| (*byte == b'\\') | (*byte == b'&') | (*byte == 0x1b);
    match end.checked_sub(MAX_ESCAPE).and_then(|start| raw[start..].first_chunk::<MAX_ESCAPE>()) {
        // No branch for each byte: all are compared at once.
        Some(near) => near.iter().fold(false, |seen, byte| seen | starts_escape(byte)),
        None => raw[..end].iter().any(starts_escape),
    }
}

/// The class of a raw byte that has not been unescaped or normalized.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Normalizing keeps it, whatever is around it.
    Plain,
    /// Normalizing drops it, whatever is around it.
    Skipped,
    /// It may start or end an escape, a contraction, a plural or a character beyond ASCII.
    Open,
}

/// The class of each byte.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t' | b'\r' | b'\n' | b'-' | b'*' | b'"' | b'`' => Class::Skipped,
            b'\\' | b'\'' | b'&' | b';' | b'(' | b')' | b'>' | 0..=0x1f | 0x7f.. => Class::Open,
            _ => Class::Plain,
        };
        byte += 1;
    }
    classes
};

/// What [`FOLDED`] has for bytes of the class [`Class::Skipped`] and of the class [`Class::Open`].
const SKIPPED: u8 = 0;
const OPEN: u8 = 1;

/// Each plain byte in lower case.
static FOLDED: [u8; 256] = {
    let mut folded = [OPEN; 256];
    let mut byte = 0;
    while byte < 256 {
        folded[byte] = match CLASSES[byte] {
            Class::Plain => (byte as u8).to_ascii_lowercase(),
            Class::Skipped => SKIPPED,
            Class::Open => OPEN,
        };
        byte += 1;
    }
    folded
};

/// Returns the class of a raw byte.
fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// The outer edges of a literal that must be word boundaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WordBoundaries {
    /// If it starts with a letter, no letter is directly before it.
    pub left: bool,
    /// No letter is directly after it.
    pub right: bool,
}

/// Whether the raw bytes around `at` may be the literal `normalized`, with its byte `offset` at `at`. Says
/// yes where escapes, contractions or the end of the bytes leave it open: it only spares a closer look at
/// what cannot be.
pub fn plausible(
    raw: &[u8],
    at: usize,
    normalized: &[u8],
    offset: usize,
    boundaries: WordBoundaries,
) -> bool {
    let same = |byte: u8, expected: u8| byte == expected || byte.to_ascii_lowercase() == expected;
    let in_word = |byte: u8| class(byte) == Class::Plain && is_word(byte);
    let mut after = normalized[offset..].iter().take(MAX_COMPARED);
    let mut next = after.next();
    for &byte in &raw[at..] {
        work::add(1);
        let Some(&expected) = next else {
            if boundaries.right && normalized.len() - offset <= MAX_COMPARED && in_word(byte) {
                return false;
            }
            break;
        };
        match class(byte) {
            Class::Skipped => {}
            Class::Open => break,
            Class::Plain if same(byte, expected) => next = after.next(),
            Class::Plain => return false,
        }
    }
    let mut before = normalized[..offset].iter().rev().take(MAX_COMPARED);
    let mut next = before.next();
    for (i, &byte) in raw[..at].iter().enumerate().rev() {
        work::add(1);
        let Some(&expected) = next else {
            let inside = boundaries.left && offset <= MAX_COMPARED && in_word(byte) && is_word(raw[i + 1]);
            return !inside || may_end_escape(raw, i + 1);
        };
        match class(byte) {
            Class::Skipped => {}
            Class::Open => break,
            Class::Plain if same(byte, expected) => next = before.next(),
            Class::Plain => return may_end_escape(raw, i + 1),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A placement that is plausible is not ruled out.
        #[test]
        fn nothing_plausible_is_refused(
            raw in "[ab\\\\&; \\-\"'A\u{e9}\x1b0]{0,24}x[abAB \\\\'\"&]{0,24}",
            literals in prop::collection::vec("[abAB0]{0,12}x[ab]{0,12}", 1..70),
        ) {
            let at = raw.find('x').expect("an anchor");
            let (raw, offset) = (raw.as_bytes(), |literal: &str| literal.find('x').expect("an anchor"));
            let filter = NeighborFilter::new(literals.iter().map(|literal| {
                let (before, after) = literal.split_once('x').expect("an anchor");
                Neighbors { before: before.as_bytes(), after: after.as_bytes() }
            }));
            let plausible =
                |literal: &String, boundaries| plausible(raw, at, literal.as_bytes(), offset(literal), boundaries);
            for first in [0, 1, 40] {
                let mut left = Vec::new();
                let mut next = filter.placement(raw, (at, at + 1), first, |_| true);
                while let Some(placement) = next {
                    left.push(placement);
                    next = filter.placement(raw, (at, at + 1), placement + 1, |_| true);
                }
                let unconfirmed = filter.placement(raw, (at, at + 1), first, |placement| {
                    assert!(left.contains(&placement));
                    false
                });
                prop_assert_eq!(unconfirmed, None);
                for (placement, literal) in literals.iter().enumerate().skip(first) {
                    let both = WordBoundaries { left: true, right: true };
                    let anywhere = WordBoundaries::default();
                    prop_assert!(left.contains(&placement) || !plausible(literal, anywhere));
                    prop_assert!(plausible(literal, anywhere) || !plausible(literal, both));
                }
                let known = first..literals.len();
                prop_assert!(left.iter().all(|placement| known.contains(placement)) && left.is_sorted());
            }
        }
    }

    #[test]
    fn a_part_of_a_longer_word_is_refused() {
        let hit = |raw: &str| {
            let at = raw.find("rver").expect("an anchor");
            plausible(raw.as_bytes(), at, b"server", 2, WordBoundaries { left: true, right: true })
        };
        for (raw, want) in [
            ("the server x", true),
            ("server", true),
            ("current_setting('server_version_num')", false),
            ("(observer)", false),
            ("servers", false),
            (r"\nserver", true),
            (r"server\u0020", true),
            ("\u{201e}server\u{201d}", true),
        ] {
            assert_eq!(hit(raw), want, "{raw}");
        }
    }

    #[test]
    fn other_neighbors_are_refused() {
        let server = Neighbors { before: b"onthetargetse", after: b"." };
        let filter = NeighborFilter::new([server].into_iter());
        let hit = |raw: &[u8]| {
            let at = memchr::memmem::find(raw, b"rver").expect("an anchor");
            filter.placement(raw, (at, at + 4), 0, |_| true).is_some()
        };
        assert!(hit(b"exists on the Target \"server\"."));
        assert!(!hit(b"on the source server."));
        assert!(!hit(b"on the target servers"));
        assert!(hit(b"\\u0041server."), "an escape leaves it open");
    }
}
