//! Around: what the raw bytes next to an anchor cannot be, before any line is made canonical.
//!
//! A frequent anchor such as a part of "server" has many owners, and nearly all of its hits belong to none of them. The
//! keys around a hit, eight on either side, are gathered once as two numbers and held against each owner's; only what agrees
//! is looked at letter by letter. Case is ignored, and what escapes leave open agrees with everything.

use super::wording::is_word;

/// How many keys on each side.
const KEYS: usize = 8;
/// How many keys [`plausible`] looks at on each side: what agrees so far is nearly always the literal.
const MAX_KEYS: usize = 24;

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
        let (mut keys, mut known, mut taken) = (0, 0_u32, 0);
        for &byte in bytes {
            let key = RAW_KEYS[usize::from(byte)];
            if key == OPEN {
                break;
            }
            taken = usize::wrapping_add(taken, 1);
            if key == SKIPPED {
                continue;
            }
            keys |= u64::from(key).wrapping_shl(known);
            known = known.wrapping_add(8);
            if known == 64 {
                break;
            }
        }
        let mask = if known == 64 { u64::MAX } else { !(u64::MAX << known) };
        (Side { keys, mask }, taken)
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

/// Whether the end of an escape (`\u0027`, `&#39;`, a colour) may stand before `end`: it looks like any letter or digit.
fn ends_escape(raw: &[u8], end: usize) -> bool {
    let escapes = |byte: &u8| (*byte == b'\\') | (*byte == b'&') | (*byte == 0x1b);
    match end.checked_sub(KEYS).and_then(|start| raw[start..].first_chunk::<KEYS>()) {
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
pub struct Edges {
    /// No word goes on into it, if it begins with one.
    pub left: bool,
    /// No letter stands directly behind it.
    pub right: bool,
}

/// Whether the raw bytes around `at`, where the key `offset` of a literal stands, may be that literal. Says yes where
/// escapes, contractions or the end of the bytes leave it open: it only spares a closer look at what cannot be.
pub fn plausible(raw: &[u8], at: usize, keys: &[u8], offset: usize, edges: Edges) -> bool {
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
        /// What is plausible agrees.
        #[test]
        fn nothing_plausible_is_refused(raw in "[ab\\\\&; \\-\"'A\u{e9}\x1b0]{0,24}x[abAB \\\\'\"&]{0,24}", keys in "[abAB0]{0,12}x[ab]{0,12}") {
            let at = raw.find('x').expect("there");
            let offset = keys.find('x').expect("there");
            let agrees = Around::raw(raw.as_bytes(), at, at + 1).agrees(&Around::keys(keys.as_bytes(), offset, offset + 1));
            let plausible = |edges| plausible(raw.as_bytes(), at, keys.as_bytes(), offset, edges);
            prop_assert!(agrees || !plausible(Edges::default()));
            let both = Edges { left: true, right: true };
            prop_assert!(plausible(Edges::default()) || !plausible(both));
        }
    }

    #[test]
    fn words_that_go_on_are_refused() {
        let hit = |raw: &str| {
            let at = raw.find("rver").expect("there");
            plausible(raw.as_bytes(), at, b"server", 2, Edges { left: true, right: true })
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
