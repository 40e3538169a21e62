//! Secrets: passwords and keys in text, found by the names before them or by their form.
//!
//! A text comes in; the ranges of its secrets go out, or the text with [`MASK`] for each. The result is shown to others,
//! so that in doubt more is a secret than is one. The module knows nothing of the catalogue and needs no key.
//!
//! # The source first
//!
//! What is reported of a log line is cut out of it: an argument, a host, the text of a message. Half a secret is not
//! recognized any more, and half of it is often enough for others. So the secrets are found in the whole line as it was
//! written, with its escapes undone, and everything is cut from there with [`cut`]:
//!
//! ```text
//! {"message":"603402: Connection \u0027host=src password=hun ter2;x\u0027 failed"}
//! a line with escapes         → text without → secrets as ranges of the text → cut (an argument, a text)
//!                                                                            → ranges of the raw line (context lines)
//! ```
//!
//! # Where a value ends
//!
//! A password may have any character, and only its container says which of them ends it: a blank in a connection string,
//! `;` in one of .NET, `@` in a URI, the same quote that opened it. `named` finds the name and judges the container;
//! where it is open, the value goes on to the end of the line. Escapes have been undone by then, so a quote has a
//! *depth*: the number of raw bytes that it came from. In `{"m":"password=a\"b"}` the quote in the value has the depth 2
//! and the one that ends the string has 1, so only the latter ends the value.
//!
//! # Marks first
//!
//! Nearly no line has a secret. So each kind of secret has *marks*: literals of which every text with such a secret holds
//! at least one (`pass` or `pwd` or … before a value, `://` before a user, `eyj` at the start of a JSON token). `marks`
//! finds the kinds that a text may have, looking at many places at a time, and only their patterns are compiled and tried:
//!
//! ```text
//! 2024-06-06 LOG: connection received          no mark: nothing is allocated
//! the password for server x is incorrect       mark "pass", but no separator after the name: nothing is found
//! host=a password=hunter2                      mark "pass" and `=`: `hunter2` is a secret
//! ```
//!
//! The invariant: marks save time and hide nothing. Trying every kind on every text finds the same, which the property
//! test `every_secret_has_a_mark` holds. Whoever adds a kind adds an example, and the test finds a mark that is too
//! narrow. A mask is no secret, so that masked text can be masked again.

mod blocks;
mod flags;
mod marks;
mod named;
mod shapes;
mod values;

pub use blocks::{KEY_REACH, is_in_key};

use crate::source::Origin;
use shapes::SHAPES;
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// The text in place of a secret.
pub const MASK: &str = "***";

/// A text in which secrets are looked for.
pub(super) struct Text<'t> {
    /// The text, its escapes undone.
    bytes: &'t [u8],
    /// The number of raw bytes that the byte at an index came from.
    raw_len: &'t dyn Fn(usize) -> usize,
}

impl Text<'_> {
    fn at(&self, i: usize) -> Option<u8> {
        self.bytes.get(i).copied()
    }

    /// The depth of the quote at `i`: the raw bytes that it came from, with backslashes before it that are still there.
    fn depth(&self, i: usize) -> usize {
        let own = (self.raw_len)(i);
        if own > 1 {
            return own;
        }
        // In a JSON string, backslashes before `"` were undone with it; those before `'` may be of a string inside of it.
        let any = self.bytes[i] == b'\'';
        let escapes =
            (0..i).rev().take_while(|at| self.bytes[*at] == b'\\' && (any || (self.raw_len)(*at) == 1));
        1 + escapes.count()
    }

    /// Where the line of `i` ends.
    fn line_end(&self, i: usize) -> usize {
        memchr::memchr2(b'\n', b'\r', &self.bytes[i..]).map_or(self.bytes.len(), |at| i + at)
    }

    /// Where the line of `i` starts.
    fn line_start(&self, i: usize) -> usize {
        memchr::memrchr2(b'\n', b'\r', &self.bytes[..i]).map_or(0, |at| at + 1)
    }
}

/// Appends the ranges of all secrets of a kind.
type Find = fn(&Text<'_>, &mut Vec<Range<usize>>);

/// The kinds of secrets that are not shapes, each with the marks of which every text with such a secret holds one, in
/// upper or lower case.
const KINDS: [(&[&str], Find); 4] = [
    (named::MARKS, named::find),
    (&["://"], values::in_uris),
    (flags::MARKS, flags::find),
    (&["e key"], blocks::in_text),
];

/// Returns the ranges of the secrets in `text`, whose escapes are undone, in order and without overlaps. `raw_len`
/// returns how many raw bytes the byte at an index came from.
pub fn find(text: &[u8], raw_len: &dyn Fn(usize) -> usize) -> Vec<Range<usize>> {
    let text = &Text { bytes: text, raw_len };
    find_kinds(text, marks::kinds(text.bytes))
}

/// The secrets that have no mark.
fn unmarked(text: &Text<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if text.bytes.len() >= blocks::MIN_KEY_LINE {
        blocks::key_lines(text, &mut found);
    }
    for at in memchr::memchr3_iter(b':', b'@', b'~', text.bytes) {
        found.extend(match text.bytes[at] {
            b':' => values::after_port(text, at),
            b'@' => values::before_host(text.bytes, at),
            _ => values::application_secret(text.bytes, at),
        });
    }
    found
}

/// The secrets of these kinds, and those that have no mark.
fn find_kinds(text: &Text<'_>, kinds: u64) -> Vec<Range<usize>> {
    let mut found = unmarked(text);
    let has = |kind: usize| kinds >> kind & 1 != 0;
    for (kind, (_, find)) in KINDS.iter().enumerate() {
        if has(kind) {
            find(text, &mut found);
        }
    }
    for (kind, shape) in SHAPES.iter().enumerate() {
        if has(KINDS.len() + kind) {
            shape.find(text.bytes, &mut found);
        }
    }
    merged(found)
}

/// Sorts ranges and joins those that overlap.
fn merged(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.retain(|range| !range.is_empty());
    if found.len() < 2 {
        return found;
    }
    found.sort_unstable_by_key(|range| range.start);
    let mut all: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match all.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}

/// Returns `range` of `text` with [`MASK`] for each of `secrets`, which are in order. Of a secret that is only partly in
/// the range nothing is left either.
pub fn cut<'t>(text: &'t [u8], range: Range<usize>, secrets: &[Range<usize>]) -> Cow<'t, [u8]> {
    let first = secrets.partition_point(|secret| secret.end <= range.start);
    let inside = secrets[first..].iter().take_while(|secret| secret.start < range.end);
    let mut shown = Vec::new();
    let mut done = range.start;
    for secret in inside {
        shown.extend_from_slice(&text[done..secret.start.max(done)]);
        shown.extend_from_slice(MASK.as_bytes());
        done = secret.end.min(range.end);
    }
    if done == range.start && shown.is_empty() {
        return Cow::Borrowed(&text[range]);
    }
    shown.extend_from_slice(&text[done..range.end]);
    Cow::Owned(shown)
}

/// Replaces each secret in `text` by [`MASK`]. Escapes in it are kept.
pub fn mask(text: &str) -> Cow<'_, str> {
    let secrets = find(text.as_bytes(), &|_| 1);
    match cut(text.as_bytes(), 0..text.len(), &secrets) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        // Secrets start and end at ASCII bytes or at the ends of the text.
        Cow::Owned(masked) => Cow::Owned(String::from_utf8_lossy(&masked).into_owned()),
    }
}

/// Masks in place. A text without secrets is not copied.
pub fn mask_in_place(text: &mut String) {
    if let Cow::Owned(masked) = mask(text) {
        *text = masked;
    }
}

/// Masks the secrets in a path: copies of blobs are named by their URL, with its signature. Each mask is followed by four
/// digits of a hash of the whole path, so that two paths stay two; that is too little to find a secret by trying.
pub fn mask_path(path: &Path) -> Cow<'_, Path> {
    let Some(text) = path.to_str() else {
        let text = path.to_string_lossy();
        let Cow::Owned(masked) = mask(&text) else { return Cow::Borrowed(path) };
        return Cow::Owned(numbered(&masked, &text).into());
    };
    match mask(text) {
        Cow::Borrowed(_) => Cow::Borrowed(path),
        Cow::Owned(masked) => Cow::Owned(numbered(&masked, text).into()),
    }
}

/// Masks the secrets in the name of a source, as [`mask_path`] does.
pub fn mask_origin(origin: &mut Origin) {
    if let Cow::Owned(masked) = mask_path(&origin.path) {
        origin.path = masked;
    }
    if let Some(member) = &mut origin.member
        && let Cow::Owned(masked) = mask(member)
    {
        *member = numbered(&masked, member);
    }
}

/// Appends digits of a hash of `text` to each new mask of `masked`.
fn numbered(masked: &str, text: &str) -> String {
    let digits = format!("{:04x}", xxh3_64(text.as_bytes()) >> 48);
    let mut parts = masked.split(MASK);
    let mut numbered = parts.next().unwrap_or_default().to_string();
    for part in parts {
        numbered += MASK;
        if !starts_with_number(part.as_bytes()) {
            numbered += &digits;
        }
        numbered += part;
    }
    numbered
}

/// Whether a text starts with the digits after a mask of a path.
fn starts_with_number(text: &[u8]) -> bool {
    text.len() >= 4 && text[..4].iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests;
