//! Alignment: arguments from a message whose wording the catalogue does not have.
//!
//! The text around a code and the wordings of its entry come in; the best alignment of words goes out with the
//! arguments it shows, or nothing where the text is too unlike. Words are aligned globally over the wording and locally
//! over the text; an argument takes what stands between its aligned neighbours. Quotes tell its bounds where they can:
//! "on instance `x` was not found" names `x`, whatever the words around became.

use super::argument::{argument, value};
use super::bytes::is_word;
use super::normalized::Normalized;
use super::wording::{Wording, WordingPart};
use crate::catalog::{ArgValue, QUOTES, ValueKind};

/// The least share of a wording's literal words, up to its last argument, that a text must have in order. Messages that
/// were reworded ("was unsuccessful" as "could not be established") keep half of their words; unlike ones share fewer.
pub const MIN_SIMILARITY: f64 = 0.5;
/// The most words of text that are aligned.
const MAX_WORDS: usize = 400;

const MATCH: i32 = 6;
const SUBSTITUTE: i32 = -2;
const MISSING: i32 = -3;
const EXTRA: i32 = -2;
const ARGUMENT: i32 = 1;
const ARGUMENT_MORE: i32 = -1;

/// A text that says what a wording says, in other words.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// Text index of the first aligned word.
    pub start: usize,
    /// Text index behind the last aligned word.
    pub end: usize,
    /// The share of literal words that agree.
    pub similarity: f64,
    /// Arguments by the entry's index.
    pub args: Vec<(usize, ArgValue)>,
}

/// A word of a text: its key and where it stands.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    key: Vec<u8>,
    start: usize,
    end: usize,
}

/// A word of a wording, or an argument.
#[derive(Debug)]
enum Slot {
    Word(Vec<u8>),
    Argument { index: usize, kind: ValueKind },
}

/// A wording as slots.
struct Pattern {
    slots: Vec<Slot>,
    /// Slots up to the end of the sentence that completes the arguments.
    required: usize,
}

/// The best alignment of `text` with any of `wordings` that is similar enough.
pub fn best<'w>(wordings: impl Iterator<Item = &'w Wording>, text: &[u8]) -> Option<Alignment> {
    let mut words = words(text);
    words.truncate(MAX_WORDS);
    let mut best: Option<Alignment> = None;
    for wording in wordings {
        let Some(aligned) = align(&pattern(wording), text, &words) else { continue };
        let better = |known: &Alignment| {
            (aligned.similarity, aligned.args.len()) > (known.similarity, known.args.len())
        };
        if aligned.similarity >= MIN_SIMILARITY && best.as_ref().is_none_or(better) {
            best = Some(aligned);
        }
    }
    best
}

fn pattern(wording: &Wording) -> Pattern {
    let mut slots = Vec::new();
    let mut required = 0;
    for (i, piece) in wording.parts.iter().enumerate() {
        match piece {
            WordingPart::Literal { text, .. } => {
                slots.extend(words(text.as_bytes()).into_iter().map(|w| Slot::Word(w.key)))
            }
            WordingPart::Argument { index, kind } => {
                slots.push(Slot::Argument { index: *index, kind: *kind })
            }
        }
        if i + 1 == wording.first_stop() {
            required = slots.len();
        }
    }
    Pattern { slots, required }
}

/// Cuts into words; marks between letters and digits ("db1.contoso.com:6432") hold a word together, contractions are two.
fn words(text: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut i = 0;
    while i < text.len() {
        if !is_word(text[i]) {
            i += 1;
            continue;
        }
        let start = i;
        while i < text.len() && (is_word(text[i]) || joins(text, i)) {
            i += 1;
        }
        let word = &text[start..i];
        if text[i..].starts_with(b"(s)") {
            words.push(Word { key: key(word), start, end: i + 3 });
            i += 3;
        } else if word.ends_with(b"n't") && word.len() > 3 {
            let stem = if word == b"can't" { b"can" } else { &word[..word.len() - 3] };
            words.push(Word { key: key(stem), start, end: i - 3 });
            words.push(Word { key: b"not".to_vec(), start: i - 3, end: i });
        } else if word == b"cannot" {
            words.push(Word { key: b"can".to_vec(), start, end: start + 3 });
            words.push(Word { key: b"not".to_vec(), start: start + 3, end: i });
        } else {
            words.push(Word { key: key(word), start, end: i });
        }
    }
    words
}

/// Whether the mark at `i` stands inside a word.
fn joins(text: &[u8], i: usize) -> bool {
    matches!(text[i], b'.' | b'-' | b':' | b'@' | b'/' | b'\'' | b'$')
        && text.get(i + 1).is_some_and(|byte| is_word(*byte))
        && i > 0
        && is_word(text[i - 1])
        && !glued(&text[i..])
}

/// Whether a full stop and the capitalised word of the next sentence follow ("SSL.Check").
fn glued(rest: &[u8]) -> bool {
    rest[0] == b'.' && rest[1].is_ascii_uppercase() && rest.get(2).is_some_and(u8::is_ascii_lowercase)
}

/// What words are compared by: their keys without a plural's end.
fn key(word: &[u8]) -> Vec<u8> {
    let mut key = Normalized::new(word).bytes;
    key.make_ascii_lowercase();
    if key.len() > 3 && key.ends_with(b"s") {
        key.pop();
    }
    key
}

/// Where a cell of the table came from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum EditOp {
    Begin,
    Pair,
    Missing,
    Extra,
    ArgumentBegins,
    ArgumentGoesOn,
}

fn align(pattern: &Pattern, text: &[u8], words: &[Word]) -> Option<Alignment> {
    let (rows, columns) = (pattern.slots.len() + 1, words.len() + 1);
    let mut score = vec![0i32; rows * columns];
    let mut step = vec![EditOp::Begin; rows * columns];
    for i in 1..rows {
        let slot = &pattern.slots[i - 1];
        for j in 0..columns {
            let mut best = (score[(i - 1) * columns + j] + MISSING, EditOp::Missing);
            let mut offer = |value: i32, how: EditOp| {
                if value > best.0 {
                    best = (value, how);
                }
            };
            if j > 0 {
                let (diagonal, left) = (score[(i - 1) * columns + j - 1], score[i * columns + j - 1]);
                match slot {
                    Slot::Word(key) => {
                        let same = *key == words[j - 1].key;
                        offer(diagonal + if same { MATCH } else { SUBSTITUTE }, EditOp::Pair);
                        offer(left + EXTRA, EditOp::Extra);
                    }
                    Slot::Argument { .. } => {
                        offer(diagonal + ARGUMENT, EditOp::ArgumentBegins);
                        let inside = matches!(
                            step[i * columns + j - 1],
                            EditOp::ArgumentBegins | EditOp::ArgumentGoesOn
                        );
                        offer(
                            left + if inside { ARGUMENT_MORE } else { EXTRA },
                            if inside { EditOp::ArgumentGoesOn } else { EditOp::Extra },
                        );
                    }
                }
            }
            (score[i * columns + j], step[i * columns + j]) = best;
        }
    }
    // The wording may end behind the sentence that completes its arguments, or anywhere later.
    let ends = (pattern.required..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
    let (i, j) = ends.max_by_key(|&(i, j)| (score[i * columns + j], std::cmp::Reverse((i, j))))?;
    let pairs = trace(&step, columns, i, j, pattern, words);
    read(pattern, text, words, &pairs)
}

/// For each slot the word that agrees with it, by walking back through the table.
fn trace(
    step: &[EditOp],
    columns: usize,
    i: usize,
    j: usize,
    pattern: &Pattern,
    words: &[Word],
) -> Vec<Option<usize>> {
    let (mut i, mut j) = (i, j);
    let mut pairs = vec![None; pattern.slots.len()];
    while i > 0 {
        match step[i * columns + j] {
            EditOp::Begin => break,
            EditOp::Missing => i -= 1,
            EditOp::Extra | EditOp::ArgumentGoesOn => j -= 1,
            EditOp::ArgumentBegins => (i, j) = (i - 1, j - 1),
            EditOp::Pair => {
                (i, j) = (i - 1, j - 1);
                if matches!(&pattern.slots[i], Slot::Word(key) if *key == words[j].key) {
                    pairs[i] = Some(j);
                }
            }
        }
    }
    pairs
}

/// Reads similarity, span and arguments off the agreeing words.
fn read(pattern: &Pattern, text: &[u8], words: &[Word], pairs: &[Option<usize>]) -> Option<Alignment> {
    let literal = |i: &usize| matches!(pattern.slots[*i], Slot::Word(_));
    let required: Vec<usize> = (0..pattern.required).filter(literal).collect();
    let agreeing = required.iter().filter(|i| pairs[**i].is_some()).count();
    let first = *pairs.iter().flatten().min()?;
    let last = *pairs.iter().flatten().max()?;
    let mut aligned = Alignment {
        start: words[first].start,
        end: words[last].end,
        similarity: agreeing as f64 / required.len().max(1) as f64,
        args: Vec::new(),
    };
    for (i, slot) in pattern.slots.iter().enumerate() {
        let Slot::Argument { index, kind } = slot else { continue };
        let before = (0..i).rev().find_map(|k| Some((k, pairs[k]?)));
        let behind = (i + 1..pairs.len()).find_map(|k| Some((k, pairs[k]?)));
        let Some((left, word)) = before else { continue };
        let gap = ArgumentGap {
            from: words[word].end,
            to: behind.map_or_else(|| message_end(text, words[word].end), |(_, word)| words[word].start),
            skipped: i - left - 1,
            exact_end: behind.is_some_and(|(right, _)| right == i + 1),
        };
        if let Some((value, end)) = gap.argument(text, *kind) {
            aligned.end = aligned.end.max(end);
            if !aligned.args.iter().any(|(known, _)| known == index) {
                aligned.args.push((*index, value));
            }
        }
    }
    aligned.args.sort_by_key(|(index, _)| *index);
    // The mark that closes the sentence belongs to it.
    aligned.end += usize::from(text.get(aligned.end) == Some(&b'.'));
    Some(aligned)
}

/// Where the sentence or string around `from` ends.
fn message_end(text: &[u8], from: usize) -> usize {
    let ends = |&at: &usize| match (text[at], text.get(at + 1)) {
        (b'.', next) => next.is_none_or(|next| next.is_ascii_whitespace() || *next == b'"'),
        (b'"', Some(b',' | b'}' | b']' | b'\n' | b'\r')) => true,
        _ => false,
    };
    (from..text.len()).find(ends).unwrap_or(text.len())
}

/// The text between the words that agree around an argument.
struct ArgumentGap {
    from: usize,
    to: usize,
    /// Words of the wording before the argument that the text has others for.
    skipped: usize,
    /// Whether the word behind the argument agrees.
    exact_end: bool,
}

impl ArgumentGap {
    /// The argument in the gap and where it ends: what is quoted, else what the wording's own words leave.
    fn argument(&self, text: &[u8], kind: ValueKind) -> Option<(ArgValue, usize)> {
        let gap = text.get(self.from..self.to)?;
        let found = |from: usize, to: usize| {
            let range = argument(text, from, to, kind)?;
            Some((value(&text[range.clone()], kind)?, range.end))
        };
        if let Some((from, to)) = quoted(gap)
            && let Some(value) = found(self.from + from, self.from + to)
        {
            return Some(value);
        }
        let words = words(gap);
        let first = self.from + words.get(self.skipped)?.start;
        let sentence = gap.windows(2).position(|pair| pair == b". ").map_or(self.to, |at| self.from + at);
        let end =
            if self.exact_end { sentence } else { self.from + bare_end(&words, gap, self.skipped, kind) };
        found(first, end.max(first))
    }
}

/// Where a bare argument ends if the words behind it are others than the wording's: behind one name, in a list behind the
/// name that follows the last comma.
fn bare_end(words: &[Word], gap: &[u8], skipped: usize, kind: ValueKind) -> usize {
    let comma = |pair: &[Word]| gap[pair[0].end..pair[1].start].contains(&b',');
    let after_comma = words[skipped..].windows(2).rposition(comma).filter(|_| kind == ValueKind::List);
    let mut last = after_comma.map_or(skipped, |at| skipped + at + 1);
    // A name of several words has capitals ("Full Name"); the words of a sentence behind it have none.
    let capital = |word: Option<&Word>| word.is_some_and(|word| gap[word.start].is_ascii_uppercase());
    while capital(words.get(last)) && capital(words.get(last + 1)) {
        last += 1;
    }
    words[last].end
}

/// The range of what stands between the first quote mark of a gap and the one that closes it, marks included.
fn quoted(gap: &[u8]) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(gap).ok()?;
    let (open_at, open) = text.char_indices().find(|(at, c)| {
        // An apostrophe or a quoted part inside a name opens nothing.
        QUOTES.contains(c)
            && !text[..*at].ends_with(|before: char| !before.is_whitespace() && !"(,:=[".contains(before))
    })?;
    let closes = |c: char| if open.is_ascii() { c == open } else { !c.is_ascii() && QUOTES.contains(&c) };
    let behind = open_at + open.len_utf8();
    let close = text[behind..].char_indices().find(|(at, c)| {
        let next = text[behind + at + c.len_utf8()..].chars().next();
        closes(*c) && !next.is_some_and(|next| next.is_alphanumeric() || next == *c)
    })?;
    Some((open_at, behind + close.0 + close.1.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn aligned(id: &str, text: &str) -> Option<Vec<String>> {
        let entry = builtin().entry(id).expect("there");
        let wordings: Vec<Wording> =
            entry.wordings.iter().map(|wording| Wording::new(0, entry, wording)).collect();
        let aligned = best(wordings.iter(), text.as_bytes())?;
        Some(aligned.args.iter().map(|(_, value)| value.to_string()).collect())
    }

    #[test]
    fn arguments_are_recovered_from_other_words() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "603405",
                "The migration service does not support the migration of databases with 'azure, pgaadauth' extension(s) on the source server.",
                &["azure, pgaadauth"],
            ),
            (
                "603402",
                "Collation 'und-x-icu' for table 'crm.contacts' in column 'name' does not exist on target instance.",
                &["und-x-icu", "crm.contacts", "name"],
            ),
            (
                "603402",
                "Collation und-x-icu for table crm.contacts in column name does not exist on target instance.",
                &["und-x-icu", "crm.contacts", "name"],
            ),
            (
                "603000",
                "Connection to the instance `20.228.214.65:5432` could not be established.",
                &["20.228.214.65:5432"],
            ),
            (
                "603000",
                "Connection to the instance 20.228.214.65:5432 could not be established.",
                &["20.228.214.65:5432"],
            ),
            (
                "603103",
                "Microsoft Entra role `entra_admins` was not found on the target instance.",
                &["entra_admins"],
            ),
            (
                "603103",
                "Microsoft Entra role App Readers, svc-app was not found on the target instance.",
                &["App Readers, svc-app"],
            ),
            (
                "603105",
                "Not enough replication slots on the source server for migration. Increase the 'max_replication_slots' GUC parameter to \"29\" or higher.",
                &["29"],
            ),
            (
                "603408",
                "Target instance version 16 is unable to support 'pg_stat_statements' extensions.",
                &["pg_stat_statements"],
            ),
            (
                "603100",
                "The password for server ORDERS-DB01 is wrong. Enter the correct password.",
                &["ORDERS-DB01"],
            ),
            (
                "603104",
                "User app-owner doesn't have the replication role on instance 10.7.122.195. Grant the role.",
                &["app-owner", "10.7.122.195"],
            ),
            (
                "603001",
                "The instance `src-14.postgres.database.azure.com` does not support SSL.",
                &["src-14.postgres.database.azure.com"],
            ),
        ];
        for (id, text, args) in cases {
            let got = aligned(id, text);
            assert_eq!(
                got.as_deref(),
                Some(&args.iter().map(|arg| (*arg).to_string()).collect::<Vec<_>>()[..]),
                "{text}"
            );
        }
    }

    #[test]
    fn unlike_texts_are_not_aligned() {
        for text in
            ["occurred during validation", "", "The server is up and the migration goes on.", "see the log"]
        {
            assert_eq!(aligned("603405", text), None, "{text}");
        }
    }
}
