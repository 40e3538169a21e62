//! Around: the keys next to an anchor, eight on either side, each side as one number.
//!
//! A frequent anchor such as a part of "server" has many owners, and nearly all of its hits belong to none of them. The
//! keys around a hit are gathered once and held against each owner's in two steps; only what agrees is looked at letter by
//! letter. Case is ignored, and what escapes leave open agrees with everything: it only spares a closer look.

use super::wording::{Class, class};

/// How many keys on each side.
const KEYS: usize = 8;

/// Up to eight keys on each side, the nearest in the lowest byte; a mask has ones where a key is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Around {
    before: Side,
    behind: Side,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Side {
    keys: u64,
    mask: u64,
}

impl Side {
    fn new(keys: impl Iterator<Item = u8>) -> Side {
        let mut side = Side::default();
        for (i, key) in keys.take(KEYS).enumerate() {
            side.keys |= u64::from(key.to_ascii_lowercase()) << (8 * i);
            side.mask |= 0xff << (8 * i);
        }
        side
    }

    /// Takes in raw bytes, the nearest first; gives how many it took until eight keys are known or one is left open.
    fn raw<'r>(bytes: impl Iterator<Item = &'r u8>) -> (Side, usize) {
        let (mut side, mut known, mut taken) = (Side::default(), 0, 0);
        for &byte in bytes {
            match class(byte) {
                Class::Skipped => {}
                Class::Open => break,
                Class::Plain => {
                    side.keys |= u64::from(byte.to_ascii_lowercase()) << known;
                    side.mask |= 0xff << known;
                    known += 8;
                }
            }
            taken += 1;
            if known == 64 {
                break;
            }
        }
        (side, taken)
    }

    fn agrees(self, other: Side) -> bool {
        (self.keys ^ other.keys) & self.mask & other.mask == 0
    }
}

impl Around {
    /// What stands around the keys from `offset` to `end` of a literal.
    pub fn keys(keys: &[u8], offset: usize, end: usize) -> Around {
        Around {
            before: Side::new(keys[..offset].iter().rev().copied()),
            behind: Side::new(keys[end..].iter().copied()),
        }
    }

    /// What stands around the raw bytes from `start` to `end`.
    pub fn raw(raw: &[u8], start: usize, end: usize) -> Around {
        let (behind, _) = Side::raw(raw[end..].iter());
        let (mut before, taken) = Side::raw(raw[..start].iter().rev());
        // The end of an escape (`\u0027`, `&#39;`, a colour) looks like any letter or digit.
        let first = start - taken;
        if raw[first.saturating_sub(KEYS)..first].iter().any(|byte| matches!(byte, b'\\' | b'&' | 0x1b)) {
            before = Side::default();
        }
        Around { before, behind }
    }

    /// Whether no key that both know differs.
    pub fn agrees(&self, other: &Around) -> bool {
        self.before.agrees(other.before) && self.behind.agrees(other.behind)
    }
}

#[cfg(test)]
mod tests {
    use super::super::wording::plausible;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is plausible agrees.
        #[test]
        fn nothing_plausible_is_refused(raw in "[ab\\\\&; \\-\"'A\u{e9}\x1b0]{0,24}x[abAB \\\\'\"&]{0,24}", keys in "[abAB0]{0,12}x[ab]{0,12}") {
            let at = raw.find('x').expect("there");
            let offset = keys.find('x').expect("there");
            let agrees = Around::raw(raw.as_bytes(), at, at + 1).agrees(&Around::keys(keys.as_bytes(), offset, offset + 1));
            prop_assert!(agrees || !plausible(raw.as_bytes(), at, keys.as_bytes(), offset));
        }
    }

    #[test]
    fn what_differs_is_refused() {
        let keys = b"onthetargetserver.";
        let around = Around::keys(keys, 13, 17);
        let hit = |raw: &[u8]| {
            let at = memchr::memmem::find(raw, b"rver").expect("there");
            Around::raw(raw, at, at + 4).agrees(&around)
        };
        assert!(hit(b"exists on the Target \"server\"."));
        assert!(!hit(b"on the source server."));
        assert!(!hit(b"on the target servers"));
        assert!(hit(b"\\u0041server."), "an escape leaves it open");
    }
}
