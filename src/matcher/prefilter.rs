//! Around: what the raw bytes next to an anchor cannot be, before any line is made canonical.
//!
//! A frequent anchor such as a part of "server" has many owners, and nearly all of its hits belong to none of them. The
//! nearest keys around a hit, four on either side, each strike out the owners that have another there, all at once; only
//! what is left is looked at letter by letter. Case is ignored, and what escapes leave open strikes out nobody.

use super::bytes::is_word;

/// How many keys on each side strike out.
const KEYS: usize = 4;
/// How many owners go into one set.
const OWNERS: usize = 32;
/// How many keys [`plausible`] looks at on each side: what agrees so far is nearly always the literal.
const MAX_KEYS: usize = 24;
/// How far back an escape begins that ends before a place, in bytes.
const MAX_ESCAPE: usize = 8;

/// What stands around an anchor in its owners.
#[derive(Debug, Clone, Default)]
pub struct NeighborFilter(Vec<Sets>);

/// For each place next to the anchor, the nearest first, and each key the owners that may have it there, as bits.
#[derive(Debug, Clone)]
struct Sets {
    all: u32,
    before: [[u32; 128]; KEYS],
    behind: [[u32; 128]; KEYS],
}

impl NeighborFilter {
    /// Takes the keys before the anchor, the nearest last, and behind it, for each owner.
    pub fn new<'k>(owners: impl Iterator<Item = (&'k [u8], &'k [u8])>) -> NeighborFilter {
        let owners: Vec<_> = owners.collect();
        let sets = owners.chunks(OWNERS).map(|owners| {
            let all = u32::MAX >> (OWNERS - owners.len());
            let mut sets = Sets { all, before: [[0; 128]; KEYS], behind: [[0; 128]; KEYS] };
            for (i, (before, behind)) in owners.iter().enumerate() {
                Sets::add(&mut sets.before, before.iter().rev(), 1 << i);
                Sets::add(&mut sets.behind, behind.iter(), 1 << i);
            }
            sets
        });
        NeighborFilter(sets.collect())
    }

    /// The first of the owners, by index from `first` on, that the anchor in the raw bytes from `start` to `end` may belong
    /// to and that `takes` takes.
    pub fn owner(
        &self,
        raw: &[u8],
        (start, end): (usize, usize),
        first: usize,
        mut takes: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        // Nearly all hits end here; loops take less than iterators within iterators.
        for (number, sets) in self.0.iter().enumerate().skip(first / OWNERS) {
            let from = first.saturating_sub(number * OWNERS);
            let mut left = sets.near(raw, start, end) & (u32::MAX << from);
            while left != 0 {
                let owner = number * OWNERS + left.trailing_zeros() as usize;
                if takes(owner) {
                    return Some(owner);
                }
                left &= left - 1;
            }
        }
        None
    }
}

impl Sets {
    /// Lets the owner `bit` have `keys`, and anything behind their end.
    fn add<'k>(places: &mut [[u32; 128]; KEYS], mut keys: impl Iterator<Item = &'k u8>, bit: u32) {
        for place in places {
            match keys.next() {
                Some(key) => place[usize::from(key.to_ascii_lowercase() & 127)] |= bit,
                None => place.iter_mut().for_each(|owners| *owners |= bit),
            }
        }
    }

    fn near(&self, raw: &[u8], start: usize, end: usize) -> u32 {
        let mut left = self.all;
        let mut places = self.behind.iter();
        for byte in &raw[end..] {
            match RAW_KEYS[usize::from(*byte)] {
                SKIPPED => continue,
                OPEN => break,
                key => match places.next() {
                    Some(place) => left &= place[usize::from(key & 127)],
                    None => break,
                },
            }
            if left == 0 {
                return 0;
            }
        }
        let unstruck = left;
        let (mut places, mut stop) = (self.before.iter(), start);
        for byte in raw[..start].iter().rev() {
            match RAW_KEYS[usize::from(*byte)] {
                SKIPPED => {}
                OPEN => break,
                key => match places.next() {
                    Some(place) => left &= place[usize::from(key & 127)],
                    None => break,
                },
            }
            stop -= 1;
            if left == 0 {
                break;
            }
        }
        if left != unstruck && ends_escape(raw, stop) { unstruck } else { left }
    }
}

/// Whether the end of an escape (`\u0027`, `&#39;`, a colour) may stand before `end`: it looks like any letter or digit.
fn ends_escape(raw: &[u8], end: usize) -> bool {
    let escapes = |byte: &u8| (*byte == b'\\') | (*byte == b'&') | (*byte == 0x1b);
    match end.checked_sub(MAX_ESCAPE).and_then(|start| raw[start..].first_chunk::<MAX_ESCAPE>()) {
        // Without a branch for each, all are looked at at once.
        Some(near) => near.iter().fold(false, |seen, byte| seen | escapes(byte)),
        None => raw[..end].iter().any(escapes),
    }
}

/// What a raw byte is to [`plausible`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// It is a key, or none.
    Plain,
    /// Evening out drops it anywhere.
    Skipped,
    /// It may begin or end an escape, a contraction, a plural or a mark that is no ASCII.
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

/// What stands for a skipped byte among keys, and for one that leaves the key open.
const SKIPPED: u8 = 0;
const OPEN: u8 = 1;

/// The key of each raw byte, case ignored.
static RAW_KEYS: [u8; 256] = {
    let mut keys = [OPEN; 256];
    let mut byte = 0;
    while byte < 256 {
        keys[byte] = match CLASSES[byte] {
            Class::Plain => (byte as u8).to_ascii_lowercase(),
            Class::Skipped => SKIPPED,
            Class::Open => OPEN,
        };
        byte += 1;
    }
    keys
};

/// The class of a raw byte.
fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Which outer edges of a literal must fall on word boundaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WordBoundaries {
    /// No word goes on into it, if it begins with one.
    pub left: bool,
    /// No letter stands directly behind it.
    pub right: bool,
}

/// Whether the raw bytes around `at`, where the key `offset` of a literal stands, may be that literal. Says yes where
/// escapes, contractions or the end of the bytes leave it open: it only spares a closer look at what cannot be.
pub fn plausible(raw: &[u8], at: usize, keys: &[u8], offset: usize, edges: WordBoundaries) -> bool {
    let same = |byte: u8, key: u8| byte == key || byte.to_ascii_lowercase() == key;
    let in_word = |byte: u8| class(byte) == Class::Plain && is_word(byte);
    let mut behind = keys[offset..].iter().take(MAX_KEYS);
    let mut key = behind.next();
    for &byte in &raw[at..] {
        let Some(&wanted) = key else {
            if edges.right && keys.len() - offset <= MAX_KEYS && in_word(byte) {
                return false;
            }
            break;
        };
        match class(byte) {
            Class::Skipped => {}
            Class::Open => break,
            Class::Plain if same(byte, wanted) => key = behind.next(),
            Class::Plain => return false,
        }
    }
    let mut before = keys[..offset].iter().rev().take(MAX_KEYS);
    let mut key = before.next();
    for (i, &byte) in raw[..at].iter().enumerate().rev() {
        let Some(&wanted) = key else {
            let inside = edges.left && offset <= MAX_KEYS && in_word(byte) && is_word(raw[i + 1]);
            return !inside || ends_escape(raw, i + 1);
        };
        match class(byte) {
            Class::Skipped => {}
            Class::Open => break,
            Class::Plain if same(byte, wanted) => key = before.next(),
            Class::Plain => return ends_escape(raw, i + 1),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is plausible is not struck out.
        #[test]
        fn nothing_plausible_is_refused(
            raw in "[ab\\\\&; \\-\"'A\u{e9}\x1b0]{0,24}x[abAB \\\\'\"&]{0,24}",
            keys in prop::collection::vec("[abAB0]{0,12}x[ab]{0,12}", 1..70),
        ) {
            let at = raw.find('x').expect("there");
            let (raw, sides) = (raw.as_bytes(), |keys: &String| keys.find('x').expect("there"));
            let split = |keys: &'_ String| (keys[..sides(keys)].to_string(), keys[sides(keys) + 1..].to_string());
            let split: Vec<(String, String)> = keys.iter().map(split).collect();
            let around = NeighborFilter::new(split.iter().map(|(before, behind)| (before.as_bytes(), behind.as_bytes())));
            let plausible = |keys: &String, edges| plausible(raw, at, keys.as_bytes(), sides(keys), edges);
            for first in [0, 1, 40] {
                let mut left = Vec::new();
                let mut next = around.owner(raw, (at, at + 1), first, |_| true);
                while let Some(owner) = next {
                    left.push(owner);
                    next = around.owner(raw, (at, at + 1), owner + 1, |_| true);
                }
                let all = around.owner(raw, (at, at + 1), first, |owner| { assert!(left.contains(&owner)); false });
                prop_assert_eq!(all, None);
                for (owner, keys) in keys.iter().enumerate().skip(first) {
                    let both = WordBoundaries { left: true, right: true };
                    prop_assert!(left.contains(&owner) || !plausible(keys, WordBoundaries::default()));
                    prop_assert!(plausible(keys, WordBoundaries::default()) || !plausible(keys, both));
                }
                prop_assert!(left.iter().all(|owner| (first..keys.len()).contains(owner)) && left.is_sorted());
            }
        }
    }

    #[test]
    fn words_that_go_on_are_refused() {
        let hit = |raw: &str| {
            let at = raw.find("rver").expect("there");
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
    fn what_differs_is_refused() {
        let around = NeighborFilter::new([(b"onthetargetse".as_slice(), b".".as_slice())].into_iter());
        let hit = |raw: &[u8]| {
            let at = memchr::memmem::find(raw, b"rver").expect("there");
            around.owner(raw, (at, at + 4), 0, |_| true).is_some()
        };
        assert!(hit(b"exists on the Target \"server\"."));
        assert!(!hit(b"on the source server."));
        assert!(!hit(b"on the target servers"));
        assert!(hit(b"\\u0041server."), "an escape leaves it open");
    }
}
