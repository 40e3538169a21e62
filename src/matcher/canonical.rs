//! Canonical text: what a log line says, freed of how its container wrote it.
//!
//! Raw bytes of a region come in. [`Text`] is the same with escapes undone (ANSI colours, JSON and Python backslashes,
//! CSV and YAML doubled quotes, HTML entities), each byte with the raw range it came from. [`Keys`] is the text evened
//! out for comparison: no white space, quotes, hyphens or asterisks, contractions written out, `(s)` as `s`, the first
//! letter of words in lower case. Templates go through the same door, so equality of keys is equality of wording.
//! Which escapes are undone is decided by what the region itself shows, never by a file's name, and is a function of
//! the region's bytes alone.

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
pub struct Text<'a> {
    /// The unescaped bytes; UTF-8 where the raw bytes were.
    pub bytes: Cow<'a, [u8]>,
    /// For each byte the raw offset and length it came from; empty where nothing was escaped.
    map: Vec<(u32, u8)>,
    base: usize,
}

impl<'a> Text<'a> {
    /// Undoes the escapes of `raw`, a region that begins at offset `base`.
    pub fn new(raw: &'a [u8], base: usize) -> Text<'a> {
        let mut text = Text { bytes: Cow::Borrowed(raw), map: Vec::new(), base };
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
        let mut map = Vec::with_capacity(self.bytes.len());
        let keep = |bytes: &mut Vec<u8>, map: &mut Vec<(u32, u8)>, from: usize, to: usize| {
            bytes.extend_from_slice(&self.bytes[from..to]);
            match self.map.get(from..to) {
                Some(known) => map.extend_from_slice(known),
                None => map.extend((from..to).map(|i| (i as u32, 1))),
            }
        };
        let (mut done, mut next) = (0, Some(first));
        while let Some(at) = next {
            keep(&mut bytes, &mut map, done, at);
            let before = bytes.len();
            if let Some(len) = undo(&self.bytes[at..], &mut bytes) {
                let (start, _) = self.raw(at);
                let (last, last_len) = self.raw(at + len - 1);
                let raw_len = (last + u32::from(last_len) - start).min(255) as u8;
                map.extend(std::iter::repeat_n((start, raw_len), bytes.len() - before));
                done = at + len;
            } else {
                keep(&mut bytes, &mut map, at, at + 1);
                done = at + 1;
            }
            next = memchr::memchr(marks[0], &self.bytes[done..]).map(|at| at + done);
        }
        keep(&mut bytes, &mut map, done, self.bytes.len());
        self.bytes = Cow::Owned(bytes);
        self.map = map;
    }

    fn raw(&self, i: usize) -> (u32, u8) {
        self.map.get(i).copied().unwrap_or((i as u32, 1))
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
        if self.map.is_empty() {
            return relative.min(self.bytes.len());
        }
        self.map.partition_point(|&(start, _)| (start as usize) < relative)
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

/// What a byte is to [`Keys`], as bits: it counts.
const COUNTS: u8 = 1;
/// It is part of a word.
const WORD: u8 = 2;
/// What it is depends on what stands around it.
const SPECIAL: u8 = 4;
/// It is a capital letter; the same bit in a letter makes it a small one.
const CAPITAL: u8 = 0x20;

/// The bits of each byte.
static SHAPES: [u8; 256] = {
    let mut shapes = [COUNTS; 256];
    let mut i = 0;
    while i < 256 {
        shapes[i] = match i as u8 {
            b' ' | b'\t' | b'\r' | 0x0b | 0x0c | b'-' | b'*' | b'"' | b'`' => 0,
            b'\n' | b'\'' | b'(' | 0xc2 | 0xe2 => SPECIAL,
            b'A'..=b'Z' => COUNTS | WORD | CAPITAL,
            b'0'..=b'9' | b'a'..=b'z' | b'_' | 0x80.. => COUNTS | WORD,
            _ => COUNTS,
        };
        i += 1;
    }
    shapes
};

/// A text evened out for comparison, each key with the text byte it came from.
#[derive(Debug, Default, Clone)]
pub struct Keys {
    /// What is compared.
    pub bytes: Vec<u8>,
    /// The index in the text of each key.
    at: Vec<u32>,
}

impl Keys {
    /// Evens out `text`.
    pub fn new(text: &[u8]) -> Keys {
        Keys::default().of(text)
    }

    /// The same in the memory of keys that are no longer needed.
    pub fn of(self, text: &[u8]) -> Keys {
        let mut keys = self;
        keys.bytes.clear();
        keys.at.clear();
        keys.bytes.reserve(text.len());
        keys.at.reserve(text.len());
        let mut i = mail_quote(text);
        // The kind of the character before: a letter or digit makes the next capital one inside a word.
        let mut in_word = false;
        while i < text.len() {
            let (len, word) = keys.plain(&text[i..], i, in_word);
            i += len;
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
                    keys.contraction(text, i, 1);
                    in_word = false;
                    i += 1;
                }
                b'(' if in_word && text[i..].starts_with(b"(s)") => {
                    // It stands for all of the mark, so that an argument begins behind it.
                    keys.push(b's', i + 2);
                    i += 3;
                }
                0xc2 if matches!(text.get(i + 1), Some(0xa0 | 0xab | 0xbb)) => {
                    in_word = false;
                    i += 2;
                }
                0xe2 if even_mark(text.get(i..i + 3)) => {
                    if text[i + 2] == 0x99 {
                        keys.contraction(text, i, 3);
                    }
                    in_word = false;
                    i += 3;
                }
                _ => {
                    keys.push(byte, i);
                    in_word = byte >= 0x80;
                    i += 1;
                }
            }
        }
        keys
    }

    /// Evens out bytes that mean the same whatever stands around them, the first at `from`, at most [`PLAIN`]; says how
    /// many they are and whether a word goes on behind them. Each key is written, and the next one over it where the
    /// byte does not count: no branch to mispredict.
    fn plain(&mut self, text: &[u8], from: usize, mut in_word: bool) -> (usize, bool) {
        let (mut bytes, mut at) = ([0; PLAIN], [0; PLAIN]);
        let (mut len, mut end) = (0, 0);
        // What a capital becomes small by: nothing inside a word.
        let mut fold = if in_word { 0 } else { CAPITAL };
        for byte in text.iter().take(PLAIN) {
            let shape = SHAPES[usize::from(*byte)];
            if shape & SPECIAL != 0 {
                break;
            }
            bytes[end % PLAIN] = byte | shape & fold;
            at[end % PLAIN] = (from as u32).wrapping_add(len as u32);
            end += usize::from(shape & COUNTS);
            fold = !(shape << 4) & CAPITAL;
            len += 1;
        }
        in_word = fold == 0;
        self.bytes.extend_from_slice(&bytes[..end]);
        self.at.extend_from_slice(&at[..end]);
        (len, in_word)
    }

    fn push(&mut self, key: u8, at: usize) {
        self.bytes.push(key);
        self.at.push(at as u32);
    }

    /// At an apostrophe of `len` bytes: what a contraction leaves out (`n't` is `not`, `'re` is `are`).
    fn contraction(&mut self, text: &[u8], i: usize, len: usize) {
        let rest = &text[i + len..];
        let tail = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let missing: &[u8] = match (&rest[..tail], self.bytes.last()) {
            (b"t", Some(b'n')) if self.bytes.ends_with(b"can") => b"no",
            (b"t", Some(b'n')) => b"o",
            (b"re", Some(last)) if last.is_ascii_alphabetic() => b"a",
            (b"ve", Some(last)) if last.is_ascii_alphabetic() => b"ha",
            (b"ll", Some(last)) if last.is_ascii_alphabetic() => b"wi",
            _ => b"",
        };
        for key in missing {
            self.push(*key, i);
        }
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

/// `bytes` as text, what is no UTF-8 replaced: `String::from_utf8_lossy`, sooner where nothing is.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The marks `> ` that mail puts before quoted lines: how many bytes of them begin `line`.
pub(super) fn mail_quote(line: &[u8]) -> usize {
    let marks = line.iter().take_while(|byte| matches!(byte, b'>' | b' ')).count();
    if line[..marks].contains(&b'>') { marks } else { 0 }
}

/// Typographic quotes, hyphens and the en dash in UTF-8.
fn even_mark(bytes: Option<&[u8]>) -> bool {
    matches!(bytes, Some([0xe2, 0x80, 0x90..=0x93 | 0x98..=0x9f | 0xb2 | 0xb3 | 0x8b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> String {
        String::from_utf8(Text::new(raw.as_bytes(), 0).bytes.into_owned()).expect("UTF-8")
    }

    fn keys(text: &str) -> String {
        String::from_utf8(Keys::new(text.as_bytes()).bytes).expect("UTF-8")
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

    #[test]
    fn the_map_leads_back_to_raw_offsets() {
        let raw = r#"{"m":"a \"b\" \u0027c"}"#;
        let text = Text::new(raw.as_bytes(), 100);
        let at = text.bytes.iter().position(|byte| *byte == b'c').expect("there");
        assert_eq!(text.raw_start(at), 100 + raw.find('c').expect("there"));
        assert_eq!(text.raw_end(at), 100 + raw.find('c').expect("there"));
        assert_eq!(text.raw_start(at - 1), 100 + raw.find("\\u0027").expect("there"));
        assert_eq!(text.index_of(text.raw_start(at)), at);
        assert_eq!(text.raw_end(text.bytes.len()), 100 + raw.len());
    }
}
