//! Canonical text: what a log line says, freed of how its container wrote it.
//!
//! Raw bytes of a region come in. [`UnescapedText`] is the same with escapes undone (ANSI colours, JSON and Python backslashes,
//! CSV and YAML doubled quotes, HTML entities), each byte with the raw range it came from. [`Normalized`] is the text evened
//! out for comparison: no white space, quotes, hyphens or asterisks, contractions written out, `(s)` as `s`, the first
//! letter of words in lower case. Templates go through the same door, so equality of keys is equality of wording.
//! Which escapes are undone is decided by what the region itself shows, never by a file's name, and is a function of
//! the region's bytes alone.

use super::bytes::mail_quote;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

/// How often nested escapes (JSON in a JSON string) are undone.
const MAX_ESCAPE_LEVELS: usize = 4;

static CSV_QUOTE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"\""));
static SQL_QUOTE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"''"));

/// A region's text with its escapes undone and the way back to raw offsets.
#[derive(Debug, Default, Clone)]
pub struct UnescapedText<'a> {
    /// The unescaped bytes; UTF-8 where the raw bytes were.
    pub bytes: Cow<'a, [u8]>,
    /// Where it came from, in order; empty where nothing was escaped.
    pieces: Vec<Segment>,
    base: usize,
}

/// Bytes of a text up to the next piece, and the raw bytes they came from.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// The index of the first of them.
    at: u32,
    /// The raw offset of the first of them.
    raw: u32,
    /// How many raw bytes all of them stand for together; 0 where each is a raw byte of its own.
    len: u8,
}

impl Segment {
    /// The raw offset and length that the byte `i` came from.
    fn raw(self, i: usize) -> (u32, u8) {
        if self.len > 0 { (self.raw, self.len) } else { (self.raw + i as u32 - self.at, 1) }
    }
}

impl<'a> UnescapedText<'a> {
    /// Undoes the escapes of `raw`, a region that begins at offset `base`.
    pub fn new(raw: &'a [u8], base: usize) -> UnescapedText<'a> {
        let mut text = UnescapedText { bytes: Cow::Borrowed(raw), pieces: Vec::new(), base };
        // Most lines hold nothing but plain text, which one look tells.
        let escaped = memchr::memchr3(0x1b, b'\\', b'&', raw).is_some();
        if escaped {
            text.pass(&[0x1b], ansi);
        }
        if text.has(&CSV_QUOTE) && looks_like_csv(&text.bytes) {
            text.pass(b"\"", |rest, with| one_of_two(rest, b'"', with));
        }
        if escaped {
            text.unescape();
        }
        if text.has(&SQL_QUOTE) {
            text.pass(b"'", |rest, with| one_of_two(rest, b'\'', with));
        }
        text
    }

    /// Undoes backslashes, level by level, then colours and entities.
    fn unescape(&mut self) {
        for _ in 0..MAX_ESCAPE_LEVELS {
            if memchr::memchr(b'\\', &self.bytes).is_none() || !has_backslash_escapes(&self.bytes) {
                break;
            }
            self.pass(b"\\", backslash);
        }
        self.pass(&[0x1b], ansi);
        self.pass(b"&", entity);
    }

    fn has(&self, doubled: &Finder<'static>) -> bool {
        doubled.find(&self.bytes).is_some()
    }

    /// Rewrites at each byte of `marks` what `undo` says: how many bytes become those that it adds.
    fn pass(&mut self, marks: &[u8; 1], undo: impl Fn(&[u8], &mut Vec<u8>) -> Option<usize>) {
        let Some(first) = memchr::memchr(marks[0], &self.bytes) else { return };
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut pieces = Vec::with_capacity(self.pieces.len() + 16);
        let (mut done, mut kept, mut next) = (0, 0, Some(first));
        while let Some(at) = next {
            let mark = bytes.len() + at - done;
            bytes.extend_from_slice(&self.bytes[done..at]);
            if let Some(len) = undo(&self.bytes[at..], &mut bytes) {
                self.keep(kept..at, mark, &mut pieces);
                if bytes.len() > mark {
                    let (start, _) = self.raw(at);
                    let (last, last_len) = self.raw(at + len - 1);
                    let len = (last + u32::from(last_len) - start).min(255) as u8;
                    pieces.push(Segment { at: mark as u32, raw: start, len });
                }
                done = at + len;
                kept = done;
            } else {
                bytes.push(self.bytes[at]);
                done = at + 1;
            }
            next = memchr::memchr(marks[0], &self.bytes[done..]).map(|at| at + done);
        }
        bytes.extend_from_slice(&self.bytes[done..]);
        self.keep(kept..self.bytes.len(), bytes.len(), &mut pieces);
        self.bytes = Cow::Owned(bytes);
        self.pieces = pieces;
    }

    /// Adds where the bytes of `range` came from, which now end at `end`.
    fn keep(&self, range: Range<usize>, end: usize, pieces: &mut Vec<Segment>) {
        if range.is_empty() {
            return;
        }
        let moved = |at: usize| (end - (range.end - at)) as u32;
        if self.pieces.is_empty() {
            pieces.push(Segment { at: moved(range.start), raw: range.start as u32, len: 0 });
            return;
        }
        let first = self.piece(range.start);
        for piece in self.pieces[first..].iter().take_while(|piece| (piece.at as usize) < range.end) {
            let start = range.start.max(piece.at as usize);
            let (raw, _) = piece.raw(start);
            pieces.push(Segment { at: moved(start), raw, len: piece.len });
        }
    }

    /// The index of the piece that holds the byte `i`.
    fn piece(&self, i: usize) -> usize {
        self.pieces.partition_point(|piece| piece.at as usize <= i) - 1
    }

    fn raw(&self, i: usize) -> (u32, u8) {
        if self.pieces.is_empty() { (i as u32, 1) } else { self.pieces[self.piece(i)].raw(i) }
    }

    /// The raw offset where the byte `i` begins; for the end of the text, where the last byte ends.
    pub fn raw_start(&self, i: usize) -> usize {
        if i < self.bytes.len() { self.base + self.raw(i).0 as usize } else { self.raw_end(i) }
    }

    /// The raw offset behind the byte before `i`.
    pub fn raw_end(&self, i: usize) -> usize {
        match i.checked_sub(1) {
            Some(i) => {
                let (start, len) = self.raw(i);
                self.base + start as usize + len as usize
            }
            None => self.base,
        }
    }

    /// What came from the raw bytes of `range`.
    pub fn slice(&self, range: &Range<usize>) -> &[u8] {
        let (start, end) = (self.index_of(range.start), self.index_of(range.end));
        &self.bytes[start..end.max(start)]
    }

    /// The first byte that came from the raw offset `raw` or behind it.
    pub fn index_of(&self, raw: usize) -> usize {
        let relative = raw.saturating_sub(self.base);
        if self.pieces.is_empty() {
            return relative.min(self.bytes.len());
        }
        // The first piece that begins there or behind it, unless the one before has a byte that does.
        let next = self.pieces.partition_point(|piece| (piece.raw as usize) < relative);
        let end = self.pieces.get(next).map_or(self.bytes.len(), |piece| piece.at as usize);
        match next.checked_sub(1).map(|last| self.pieces[last]) {
            Some(last) if last.len == 0 => end.min(last.at as usize + relative - last.raw as usize),
            _ => end,
        }
    }
}

/// A CSI sequence (colours, cursor) becomes nothing.
fn ansi(rest: &[u8], _: &mut Vec<u8>) -> Option<usize> {
    let body = rest.strip_prefix(b"\x1b[")?;
    let end = body.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
    body[..end].iter().all(|byte| (0x20..=0x3f).contains(byte)).then_some(end + 3)
}

/// A doubled quote mark is one.
fn one_of_two(rest: &[u8], quote: u8, with: &mut Vec<u8>) -> Option<usize> {
    rest.starts_with(&[quote, quote]).then(|| {
        with.push(quote);
        2
    })
}

/// What JSON, Python and double-quoted YAML write with a backslash.
fn backslash(rest: &[u8], with: &mut Vec<u8>) -> Option<usize> {
    if rest.len() == 1 {
        // The end of a folded line: what it escapes, the line break, stands behind the region.
        return Some(1);
    }
    let one = match *rest.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' | b'f' | b' ' => b' ',
        mark @ (b'"' | b'\'' | b'\\' | b'/') => mark,
        b'\n' => return Some(2),
        b'u' => {
            let unit = hex(rest.get(2..6)?)?;
            let low = if (0xd800..0xdc00).contains(&unit) && rest.get(6..8) == Some(b"\\u") {
                rest.get(8..12).and_then(hex)
            } else {
                None
            };
            let units = std::iter::once(unit as u16).chain(low.map(|low| low as u16));
            char::decode_utf16(units).for_each(|c| push(c.unwrap_or(char::REPLACEMENT_CHARACTER), with));
            return Some(if low.is_some() { 12 } else { 6 });
        }
        b'x' => {
            push(char::from_u32(hex(rest.get(2..4)?)?)?, with);
            return Some(4);
        }
        _ => return None,
    };
    with.push(one);
    Some(2)
}

fn push(c: char, with: &mut Vec<u8>) {
    with.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + (*digit as char).to_digit(16)?))
}

/// The entities that XML knows, and numbers.
fn entity(rest: &[u8], with: &mut Vec<u8>) -> Option<usize> {
    let end = rest.iter().take(10).position(|byte| *byte == b';')?;
    let c = match &rest[1..end] {
        b"quot" => '"',
        b"apos" | b"lsquo" | b"rsquo" => '\'',
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"nbsp" => ' ',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hex(digits)?)?,
        [b'#', digits @ ..] => char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?,
        _ => return None,
    };
    push(c, with);
    Some(end + 1)
}

/// Whether backslashes are escapes here: in text that is no JSON, `CONTOSO\nadia` is a user.
fn has_backslash_escapes(text: &[u8]) -> bool {
    memchr::memchr_iter(b':', text).any(|at| at > 0 && matches!(text[at - 1], b'"' | b'\''))
        || memchr::memchr_iter(b'\\', text)
            .any(|at| text.get(at + 1) == Some(&b'"') || text[at + 1..].starts_with(b"u00"))
        || memchr::memmem::find_iter(text, b": \"").any(|at| at > 0 && text[at - 1].is_ascii_alphanumeric())
}

/// Whether doubled quotes are CSV's way of writing one. In JSON `""` is an empty string: it stands between marks.
fn looks_like_csv(text: &[u8]) -> bool {
    let mut doubled = memchr::memmem::find_iter(text, b"\"\"");
    let inside = |at: usize| {
        let before = at.checked_sub(1).map(|i| text[i]);
        let after = text.get(at + 2).copied();
        let word = |byte: Option<u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'{' || byte >= 0x80)
        };
        word(before) || word(after)
    };
    doubled.any(inside)
        && (text.first() == Some(&b'"')
            || memchr::memmem::find(text, b",\"").is_some()
            || memchr::memmem::find(text, b";\"").is_some()
            || memchr::memmem::find(text, b"\n\"").is_some())
}

/// How many bytes are evened out at once.
const PLAIN: usize = 64;

/// What a byte is to [`Normalized`], as bits: it counts.
const COUNTS: u8 = 1;
/// What it is depends on what stands around it.
const SPECIAL: u8 = 4;
/// It is a capital letter; the same bit in a letter makes it a small one.
const CAPITAL: u8 = 0x20;
/// It is no part of a word: a capital behind it begins one.
const BEFORE_WORD: u8 = 0x40;

/// The bits of each byte.
static SHAPES: [u8; 256] = {
    let mut shapes = [COUNTS | BEFORE_WORD; 256];
    let mut i = 0;
    while i < 256 {
        shapes[i] = match i as u8 {
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c | b'-' | b'*' | b'"' | b'`' => BEFORE_WORD,
            b'\n' | b'\'' | b'(' | 0xc2 | 0xe2 => SPECIAL,
            b'A'..=b'Z' => COUNTS | CAPITAL,
            b'0'..=b'9' | b'a'..=b'z' | b'_' | 0x80.. => COUNTS,
            _ => COUNTS | BEFORE_WORD,
        };
        i += 1;
    }
    shapes
};

/// A text evened out for comparison, each key with the text byte it came from.
#[derive(Debug, Default, Clone)]
pub struct Normalized {
    /// What is compared.
    pub bytes: Vec<u8>,
    /// The index in the text of each key.
    at: Vec<u32>,
}

impl Normalized {
    /// Evens out `text`.
    pub fn new(text: &[u8]) -> Normalized {
        Normalized::default().of(text)
    }

    /// The same in the memory of keys that are no longer needed.
    pub fn of(self, text: &[u8]) -> Normalized {
        let mut keys = self;
        // What contractions leave out is at most half as long; a whole block fits behind the last key.
        let most = text.len() + text.len() / 2 + PLAIN + 2;
        keys.bytes.resize(most, 0);
        keys.at.resize(most, 0);
        let mut i = mail_quote(text);
        let mut end = 0;
        // The kind of the character before: a letter or digit makes the next capital one inside a word.
        let mut in_word = false;
        while i < text.len() {
            let (len, count, word) = keys.plain(&text[i..], i, end, in_word);
            i += len;
            end += count;
            in_word = word;
            if len == PLAIN {
                continue;
            }
            let Some(&byte) = text.get(i) else { break };
            match byte {
                b'\n' => {
                    in_word = false;
                    i += 1 + mail_quote(&text[i + 1..]);
                }
                b'\'' => {
                    end = keys.contraction(text, i, 1, end);
                    in_word = false;
                    i += 1;
                }
                b'(' if in_word && text[i..].starts_with(b"(s)") => {
                    // It stands for all of the mark, so that an argument begins behind it.
                    end = keys.put(b's', i + 2, end);
                    i += 3;
                }
                0xc2 if matches!(text.get(i + 1), Some(0xa0 | 0xab | 0xbb)) => {
                    in_word = false;
                    i += 2;
                }
                0xe2 if even_mark(text.get(i..i + 3)) => {
                    if text[i + 2] == 0x99 {
                        end = keys.contraction(text, i, 3, end);
                    }
                    in_word = false;
                    i += 3;
                }
                _ => {
                    end = keys.put(byte, i, end);
                    in_word = byte >= 0x80;
                    i += 1;
                }
            }
        }
        keys.bytes.truncate(end);
        keys.at.truncate(end);
        keys
    }

    /// Evens out bytes that mean the same whatever stands around them, the first at `from`, at most [`PLAIN`], behind
    /// `known` keys; says how many they are, how many keys, and whether a word goes on behind them. Each key is written,
    /// and the next one over it where the byte does not count: no branch to mispredict.
    fn plain(&mut self, text: &[u8], from: usize, known: usize, in_word: bool) -> (usize, usize, bool) {
        let places = (self.bytes[known..].first_chunk_mut(), self.at[known..].first_chunk_mut());
        let (Some(bytes), Some(at)): (Option<&mut [u8; PLAIN]>, Option<&mut [u32; PLAIN]>) = places else {
            unreachable!("there is room for a block");
        };
        let (mut len, mut end, mut place) = (text.len().min(PLAIN), 0, from as u32);
        // What a capital becomes small by: nothing inside a word.
        let mut fold = if in_word { 0 } else { CAPITAL };
        for (i, byte) in text[..len].iter().enumerate() {
            let shape = SHAPES[usize::from(*byte)];
            if shape & SPECIAL != 0 {
                len = i;
                break;
            }
            bytes[end % PLAIN] = byte | shape & fold;
            at[end % PLAIN] = place;
            end += usize::from(shape & COUNTS);
            place = place.wrapping_add(1);
            fold = shape >> 1 & CAPITAL;
        }
        (len, end, fold == 0)
    }

    /// Writes a key behind `known` others; gives how many there are.
    fn put(&mut self, key: u8, at: usize, known: usize) -> usize {
        (self.bytes[known], self.at[known]) = (key, at as u32);
        known + 1
    }

    /// At an apostrophe of `len` bytes, behind `known` keys: what a contraction leaves out (`n't` is `not`, `'re` is
    /// `are`). Gives how many keys there are.
    fn contraction(&mut self, text: &[u8], i: usize, len: usize, known: usize) -> usize {
        let (before, rest) = (&self.bytes[..known], &text[i + len..]);
        let tail = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let missing: &[u8] = match (&rest[..tail], before.last()) {
            (b"t", Some(b'n')) if before.ends_with(b"can") => b"no",
            (b"t", Some(b'n')) => b"o",
            (b"re", Some(last)) if last.is_ascii_alphabetic() => b"a",
            (b"ve", Some(last)) if last.is_ascii_alphabetic() => b"ha",
            (b"ll", Some(last)) if last.is_ascii_alphabetic() => b"wi",
            _ => b"",
        };
        missing.iter().fold(known, |known, key| self.put(*key, i, known))
    }

    /// The text index of key `k`.
    pub fn at(&self, k: usize) -> usize {
        self.at[k] as usize
    }

    /// The first key at or behind the text index `at`.
    pub fn index_of(&self, at: usize) -> usize {
        self.at.partition_point(|&index| (index as usize) < at)
    }
}

/// Typographic quotes, hyphens and the en dash in UTF-8.
fn even_mark(bytes: Option<&[u8]>) -> bool {
    matches!(bytes, Some([0xe2, 0x80, 0x90..=0x93 | 0x98..=0x9f | 0xb2 | 0xb3 | 0x8b]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(raw: &str) -> String {
        String::from_utf8(UnescapedText::new(raw.as_bytes(), 0).bytes.into_owned()).expect("UTF-8")
    }

    fn keys(text: &str) -> String {
        String::from_utf8(Normalized::new(text.as_bytes()).bytes).expect("UTF-8")
    }

    #[test]
    fn wordings_that_say_the_same_have_the_same_keys() {
        let same: &[&[&str]] = &[
            &["doesn't support", "does not  support", "doesn’t\nsupport", "Doesn't support"],
            &["can't be", "cannot be", "can not be", "can’t be"],
            &["they're not", "They are not"],
            &["couldn't", "could not"],
            &["the extension(s) of", "the extensions of"],
            &["non-system schema", "nonsystem schema", "non system schema"],
            &["pre-migration/post-migration", "premigration/postmigration"],
            &["SSL.Check", "SSL. Check", "SSL.\r\n> Check"],
            &["to *prefer* and", "to prefer and", "to “prefer” and"],
            &["allowlist", "allow-list", "allow list"],
        ];
        for texts in same {
            for text in *texts {
                assert_eq!(keys(text), keys(texts[0]), "{text:?}");
            }
        }
        assert_ne!(keys("GUC"), keys("guc"), "only first letters are evened out");
        assert_ne!(keys("extension"), keys("extensions"));
    }

    #[test]
    fn escapes_are_undone() {
        let cases = [
            (r#"{"message":"User \"repl\" doesn\u0027t"}"#, r#"{"message":"User "repl" doesn't"}"#),
            (r#"{"m":"{\"error\":\"a \\\"b\\\" c\\nd\"}"}"#, "{\"m\":\"{\"error\":\"a \"b\" c\nd\"}\"}"),
            ("\x1b[31mERROR\x1b[0m it", "ERROR it"),
            (r#"a,"said ""x"" to"#, r#"a,"said "x" to"#),
            ("a,\"in \"\"客户\"\".\"", "a,\"in \"客户\".\""),
            (r#"{"prefix":"","detail":""}"#, r#"{"prefix":"","detail":""}"#),
            ("database ''o''brien'' is", "database 'o'brien' is"),
            ("&lt;b&gt; isn&#39;t &quot;x&quot; &#x27;y&apos;", "<b> isn't \"x\" 'y'"),
            (r"User `CONTOSO\nadia` is", r"User `CONTOSO\nadia` is"),
            (r"{'message': 'it\'s\r\nso'}", "{'message': 'it's\r\nso'}"),
            ("m: \"a \\\"b\\\" on the\\\n  \\ source\"", "m: \"a \"b\" on the   source\""),
            (r#"{"m":"\ud83d\ude00\u00dc"}"#, r#"{"m":"😀Ü"}"#),
        ];
        for (raw, want) in cases {
            assert_eq!(text(raw), want);
        }
    }

    proptest! {
        /// Every byte comes from where the bytes around it let it come from, and the way there leads back.
        #[test]
        fn places_lead_there_and_back(raw in "([a-z:{}\\[\\]]|\\\\\\\\|\\\\\"|\\\\u0027|\\\\n|&amp;|&#39;|''|\"\"|\x1b\\[1m|\"){0,40}", base in 0usize..9) {
            let text = UnescapedText::new(raw.as_bytes(), base);
            let mut before = base;
            for (i, byte) in text.bytes.iter().enumerate() {
                let (start, end) = (text.raw_start(i), text.raw_end(i + 1));
                prop_assert!(before <= start && start < end && end <= base + raw.len(), "{}", i);
                prop_assert!(end - start > 1 || raw.as_bytes()[start - base] == *byte);
                prop_assert!((0..=i).contains(&text.index_of(start)) && text.raw_start(text.index_of(start)) == start);
                prop_assert!(text.index_of(start + 1) > i);
                before = start;
            }
            prop_assert_eq!(text.index_of(base + raw.len()), text.bytes.len());
        }
    }

    #[test]
    fn the_way_leads_back_to_raw_offsets() {
        let raw = r#"{"m":"a \"b\" \u0027c"}"#;
        let text = UnescapedText::new(raw.as_bytes(), 100);
        let at = text.bytes.iter().position(|byte| *byte == b'c').expect("there");
        assert_eq!(text.raw_start(at), 100 + raw.find('c').expect("there"));
        assert_eq!(text.raw_end(at), 100 + raw.find('c').expect("there"));
        assert_eq!(text.raw_start(at - 1), 100 + raw.find("\\u0027").expect("there"));
        assert_eq!(text.index_of(text.raw_start(at)), at);
        assert_eq!(text.raw_end(text.bytes.len()), 100 + raw.len());
    }
}
