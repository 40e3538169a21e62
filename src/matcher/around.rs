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
        let plain = |byte: &&u8| class(**byte) != Class::Skipped;
        let known = |byte: &&u8| class(**byte) == Class::Plain;
        let behind = raw[end..].iter().filter(plain).take_while(known);
        let mut first = start;
        let before = raw[..start].iter().enumerate().rev().filter(|(_, byte)| plain(byte));
        let before = before.take_while(|(_, byte)| known(byte)).map(|(i, byte)| {
            first = i;
            *byte
        });
        let mut before = Side::new(before);
        // The end of an escape (`\u0027`, `&#39;`, a colour) looks like any letter or digit.
        if raw[first.saturating_sub(KEYS)..start].iter().any(|byte| matches!(byte, b'\\' | b'&' | 0x1b)) {
            before = Side::default();
        }
        Around { before, behind: Side::new(behind.copied()) }
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
