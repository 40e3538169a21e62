//! Marks: whether a text may hold a secret at all, and of which kinds.
//!
//! A text comes in; yes or no goes out, or the kinds as bits. What follows a mark is not looked at.
//!
//! This runs over every line with a finding, so its first question is answered by a vectorised search for all marks.
//! Such a search knows exact bytes, and names are written in any case; so a block of the text is folded before it is
//! searched, by setting the bit that makes a capital a small letter. That also changes some punctuation (`@` becomes
//! a grave accent), in the marks as in the text, so that no mark is missed; what it finds too much is sorted out by the
//! second question.

use super::KINDS;
use super::shapes::SHAPES;
use aho_corasick::{AhoCorasick, AhoCorasickKind, packed};
use std::sync::LazyLock;

/// The bit that makes an ASCII capital a small letter.
const SMALL: u8 = 0x20;
/// The bytes that are folded and searched at once.
const BLOCK: usize = 512;
/// The longest mark, in bytes; blocks overlap by one less.
const LONGEST: usize = 16;

/// All marks, each with its kind: an index into [`KINDS`], then into [`SHAPES`].
fn all() -> impl Iterator<Item = (usize, &'static str)> {
    let kinds = KINDS.iter().map(|(marks, _)| *marks).chain(SHAPES.iter().map(|shape| shape.marks));
    kinds.enumerate().flat_map(|(kind, marks)| marks.iter().map(move |mark| (kind, *mark)))
}

/// The marks that are needed to find any: not those that hold another.
static ANY: LazyLock<AnySearch> = LazyLock::new(|| {
    let mut marks: Vec<Vec<u8>> =
        all().map(|(_, mark)| mark.bytes().map(|byte| byte | SMALL).collect()).collect();
    marks.sort_by_key(Vec::len);
    marks.dedup();
    let mut needed: Vec<Vec<u8>> = Vec::new();
    for mark in marks {
        debug_assert!(mark.len() <= LONGEST);
        if !needed.iter().any(|known| memchr::memmem::find(&mark, known).is_some()) {
            needed.push(mark);
        }
    }
    match packed::Config::new().builder().extend(&needed).build() {
        Some(packed) => AnySearch::Packed(packed),
        // A processor without the vector instructions.
        None => AnySearch::Automaton(AhoCorasick::new(&needed).expect("a few short literals")),
    }
});

enum AnySearch {
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

/// Whether the text has any mark.
pub(super) fn has_any(text: &[u8]) -> bool {
    let search = &*ANY;
    let mut block = [0; BLOCK];
    let mut start = 0;
    loop {
        let part = &text[start..text.len().min(start + BLOCK)];
        let folded = &mut block[..part.len()];
        for (folded, byte) in folded.iter_mut().zip(part) {
            *folded = byte | SMALL;
        }
        let found = match search {
            AnySearch::Packed(search) => search.find(&*folded).is_some(),
            AnySearch::Automaton(search) => search.is_match(&*folded),
        };
        if found || start + part.len() == text.len() {
            return found;
        }
        start += BLOCK - (LONGEST - 1);
    }
}

/// The automaton for the marks of all kinds, and for each mark its kind as a bit.
static KIND_MARKS: LazyLock<(AhoCorasick, Vec<u64>)> = LazyLock::new(|| {
    let (marks, kinds): (Vec<&str>, Vec<u64>) = all().map(|(kind, mark)| (mark, 1 << kind)).unzip();
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA));
    (builder.build(marks).expect("a few short literals"), kinds)
});

/// Returns the kinds of secrets that the text may hold, as bits.
pub(super) fn kinds(text: &[u8]) -> u64 {
    let (marks, kinds) = &*KIND_MARKS;
    marks.find_overlapping_iter(text).fold(0, |all, mark| all | kinds[mark.pattern()])
}
