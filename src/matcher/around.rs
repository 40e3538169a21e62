//! Around: what the raw bytes next to an anchor cannot be, before any line is made canonical.
//!
//! A frequent anchor such as a part of "server" has many owners, and nearly all of its hits belong to none of them. The
//! keys around a hit, eight on either side, are gathered once as two numbers and held against each owner's; only what agrees
//! is looked at letter by letter. Case is ignored, and what escapes leave open agrees with everything.

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
        if ends_escape(raw, start - taken) {
            before = Side::default();
        }
        Around { before, behind }
    }

    /// Whether no key that both know differs.
    pub fn agrees(&self, other: &Around) -> bool {
        self.before.agrees(other.before) && self.behind.agrees(other.behind)
    }
}

/// Which raw bytes may stand right before and right behind an anchor: nearly all hits are refused by these two alone.
#[derive(Debug, Clone)]
pub struct Edges {
    before: [bool; 256],
    behind: [bool; 256],
}

impl Edges {
    /// The edges of an anchor in all of its owners: for each the keys of its literal, where the anchor begins and ends.
    pub fn new<'k>(owners: impl Iterator<Item = (&'k [u8], usize, usize)>) -> Edges {
        let open = CLASSES.map(|class| class != Class::Plain);
        let mut edges = Edges { before: open, behind: open };
        for (keys, start, end) in owners {
            let sides = [(&mut edges.before, keys[..start].last()), (&mut edges.behind, keys.get(end))];
            for (side, key) in sides {
                match key {
                    Some(key) => {
                        side[usize::from(key.to_ascii_lowercase())] = true;
                        side[usize::from(key.to_ascii_uppercase())] = true;
                    }
                    None => *side = [true; 256],
                }
            }
        }
        edges
    }

    /// Whether the anchor from `start` to `end` may be one of an owner, as [`plausible`] says for each.
    pub fn agree(&self, raw: &[u8], start: usize, end: usize) -> bool {
        let agrees = |side: &[bool; 256], byte: Option<&u8>| byte.is_none_or(|byte| side[usize::from(*byte)]);
        agrees(&self.behind, raw.get(end))
            && (agrees(&self.before, raw[..start].last()) || ends_escape(raw, start))
    }
}

/// Whether the end of an escape (`\u0027`, `&#39;`, a colour) may stand before `end`: it looks like any letter or digit.
fn ends_escape(raw: &[u8], end: usize) -> bool {
    raw[end.saturating_sub(KEYS)..end].iter().any(|byte| matches!(byte, b'\\' | b'&' | 0x1b))
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

/// The class of a raw byte.
fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// Whether the raw bytes around `at`, where the key `offset` of a literal stands, may be that literal. Says yes where
/// escapes, contractions or the end of the bytes leave it open: it only spares a closer look at what cannot be.
pub fn plausible(raw: &[u8], at: usize, keys: &[u8], offset: usize) -> bool {
    let same = |byte: u8, key: u8| byte == key || byte.to_ascii_lowercase() == key;
    let mut behind = keys[offset..].iter();
    let mut key = behind.next();
    for &byte in &raw[at..] {
        let Some(&wanted) = key else { break };
        match class(byte) {
            Class::Skipped => {}
            Class::Open => break,
            Class::Plain if same(byte, wanted) => key = behind.next(),
            Class::Plain => return false,
        }
    }
    let mut before = keys[..offset].iter().rev();
    let mut key = before.next();
    for (i, &byte) in raw[..at].iter().enumerate().rev() {
        let Some(&wanted) = key else { break };
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
        /// What is plausible agrees.
        #[test]
        fn nothing_plausible_is_refused(raw in "[ab\\\\&; \\-\"'A\u{e9}\x1b0]{0,24}x[abAB \\\\'\"&]{0,24}", keys in "[abAB0]{0,12}x[ab]{0,12}") {
            let at = raw.find('x').expect("there");
            let offset = keys.find('x').expect("there");
            let agrees = Around::raw(raw.as_bytes(), at, at + 1).agrees(&Around::keys(keys.as_bytes(), offset, offset + 1));
            let edges = Edges::new([(keys.as_bytes(), offset, offset + 1)].into_iter());
            let agrees = agrees && edges.agree(raw.as_bytes(), at, at + 1);
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
