//! Marks: whether a text may hold a secret at all, and of which kinds.
//!
//! A text comes in; the kinds go out as bits. What follows the start of a mark is not looked at.
//!
//! This is asked of every line with a finding, so it has to cost little. The start of each mark has a bit, and three tables say which marks have a byte as their first, second and third, in either case:
//!
//! ```text
//! FIRST['p'] & SECOND['a'] & THIRD['s']     the bit of "pass", and of nothing else
//! FIRST['t'] & SECOND['a'] & THIRD['b']     0
//! ```
//!
//! Nothing depends on the byte before, so a processor works on many places at once, which it cannot with an automaton. A
//! vectorised search for that many short words of letters was five times slower: it finds far too many candidates.

use super::KINDS;
use super::shapes::SHAPES;
use std::sync::LazyLock;

/// All marks, each with its kind: an index into [`KINDS`], then into [`SHAPES`].
fn all() -> impl Iterator<Item = (usize, &'static str)> {
    let kinds = KINDS.iter().map(|(marks, _)| *marks).chain(SHAPES.iter().map(|shape| shape.marks));
    kinds.enumerate().flat_map(|(kind, marks)| marks.iter().map(move |mark| (kind, *mark)))
}

/// For each byte, the starts of marks that have it as their first, second and third, as bits; and for each start the kinds
/// of secrets that have such a mark.
struct Starts {
    tables: [[u64; 256]; 3],
    kinds: [u64; 64],
}

static STARTS: LazyLock<Box<Starts>> = LazyLock::new(|| {
    let mut known: Vec<[u8; 3]> = Vec::new();
    let mut starts = Box::new(Starts { tables: [[0; 256]; 3], kinds: [0; 64] });
    for (kind, mark) in all() {
        // A mark of two bytes has any third.
        let mut start = [0; 3];
        start.iter_mut().zip(mark.bytes()).for_each(|(start, byte)| *start = byte);
        let place = known.iter().position(|other| *other == start).unwrap_or_else(|| {
            known.push(start);
            known.len() - 1
        });
        // Were there more starts than bits, some would share one: more texts would be looked at, none missed.
        let bit = place % 64;
        starts.kinds[bit] |= 1 << kind;
        for (table, byte) in starts.tables.iter_mut().zip(start) {
            let has = |known: u8| byte == 0 || byte.eq_ignore_ascii_case(&known);
            (0..=u8::MAX).filter(|known| has(*known)).for_each(|known| table[usize::from(known)] |= 1 << bit);
        }
    }
    starts
});

/// Returns the kinds of secrets that the text may hold, as bits: those of whose marks it has the first three bytes.
pub(super) fn kinds(text: &[u8]) -> u64 {
    let Starts { tables: [first, second, third], kinds } = &**STARTS;
    let mut found = 0;
    for window in text.windows(3) {
        let [a, b, c] = [window[0], window[1], window[2]].map(usize::from);
        found |= first[a] & second[b] & third[c];
    }
    // A mark of two bytes at the end.
    if let [.., a, b] = *text {
        found |= first[usize::from(a)] & second[usize::from(b)] & third[0];
    }
    let mut all = 0;
    while found != 0 {
        all |= kinds[found.trailing_zeros() as usize];
        found &= found - 1;
    }
    all
}
