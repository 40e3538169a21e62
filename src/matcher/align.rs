//! Alignment: arguments from a message whose wording the catalogue does not have.
//!
//! The text around a code and the wordings of its entry come in; the best alignment of their words goes out,
//! with the arguments that it shows, or nothing if the text is too different. This file does not know codes
//! or windows.
//!
//! # Idea
//!
//! Services reword their messages from release to release. The code still says which entry it is, and half of
//! the words stay (═), while others change (─):
//!
//! ```text
//! wording  Connection to the server   {server}             was unsuccessful.
//! text     Connection to the instance `20.228.214.65:5432` could not be established.
//!          ══════════ ══ ═══ ──────── └──── argument ────┘ ─────
//! ```
//!
//! Aligning them is what bioinformatics does with sequences (Needleman and Wunsch): a table has a row for
//! each *slot* of the wording, a word or an argument, and a column for each word of the text. A cell is the
//! best score of any alignment of the slots and words so far: +6 for a pair of equal words, negative for a
//! pair of different ones, for a slot without a word and for a word without a slot. An argument may have
//! several words; its first one scores +1 and each more -1, so a longer argument must pay for itself with
//! equal words after it. The alignment is global over the wording, but local over the text: words before and
//! after the message cost nothing. Each cell also stores the edit that led to it, and following these edits
//! back from the best last cell reads the alignment off.
//!
//! # Which bytes are the argument
//!
//! The words that agree on both sides of an argument bound a gap. If the gap contains quotes, the quoted text
//! is the argument: in "on instance `x` was not found" it is `x`, whatever the words around became. Without
//! quotes, the slots between show how many of the gap's words are the wording's own, and the argument is one
//! name, or a list, after them (`bare_end`).
//!
//! # Bounds
//!
//! At most `MAX_WORDS` words are aligned, and a text must have at least [`MIN_SIMILARITY`] of the wording's
//! words in order. A wrong argument is worse than none.

use super::argument::{argument, value};
use super::bytes::is_word;
use super::normalized::Normalized;
use super::wording::{Wording, WordingPart};
use super::work;
use crate::catalog::{ArgValue, QUOTES, ValueKind};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;

/// The least share of a wording's literal words, up to its last argument, that a text must have in order.
/// Messages that were reworded ("was unsuccessful" as "could not be established") keep half of their words;
/// other texts share fewer.
pub const MIN_SIMILARITY: f64 = 0.5;
/// The most words of text that are aligned.
const MAX_WORDS: usize = 400;
/// The most texts whose alignments are kept.
const MAX_ALIGNMENTS: usize = 256;
/// The most bytes of such texts that are kept.
const MAX_ALIGNED_BYTES: usize = 256 << 10;

/// The scores of a slot and a word, or of either alone.
const EQUAL: i32 = 6;
const DIFFERENT: i32 = -2;
const SLOT_ALONE: i32 = -3;
const WORD_ALONE: i32 = -2;
const ARGUMENT_FIRST: i32 = 1;
const ARGUMENT_MORE: i32 = -1;

/// A text that says the same as a wording in other words.
#[derive(Debug, Clone, PartialEq)]
pub struct Alignment {
    /// Text index of the first aligned word.
    pub start: usize,
    /// Text index after the last aligned word.
    pub end: usize,
    /// The share of literal words that agree.
    pub similarity: f64,
    /// Arguments by the entry's index.
    pub args: Vec<AlignedArgument>,
}

/// An argument of such a text.
#[derive(Debug, Clone, PartialEq)]
pub struct AlignedArgument {
    /// The entry's index.
    pub index: usize,
    /// The form of its values.
    pub kind: ValueKind,
    /// What the text has for it.
    pub value: ArgValue,
    /// The text range of the value.
    pub range: Range<usize>,
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq)]
struct Word {
    /// The form in which words are compared.
    stem: Vec<u8>,
    /// Its range in the text.
    start: usize,
    end: usize,
}

/// A word of a wording, or an argument.
#[derive(Debug)]
enum Slot {
    /// The stem of a word.
    Word(Vec<u8>),
    /// An argument of the entry, by index.
    Argument { index: usize, kind: ValueKind },
}

/// A wording as slots.
#[derive(Debug)]
pub struct Pattern {
    slots: Vec<Slot>,
    /// How many slots there are up to the end of the sentence that completes the arguments.
    required: usize,
}

/// Alignments of texts that were aligned before: a failure that repeats is aligned once.
#[derive(Debug, Default)]
pub struct Alignments {
    /// By the text and the entry.
    known: HashMap<Vec<u8>, Option<Alignment>>,
    /// The memory of the next key.
    key: Vec<u8>,
    /// The bytes of all keys.
    bytes: usize,
    /// How many texts were aligned, for tests.
    pub aligned: usize,
}

impl Alignments {
    /// Returns the best alignment of `text` with any of `patterns`, the wordings of `entry`, as [`best`] does.
    pub fn best<'p>(
        &mut self,
        entry: usize,
        patterns: impl Iterator<Item = &'p Pattern>,
        text: &[u8],
    ) -> Option<Alignment> {
        self.key.clear();
        self.key.extend_from_slice(text);
        self.key.extend_from_slice(&entry.to_le_bytes());
        if let Some(known) = self.known.get(&self.key) {
            return known.clone();
        }
        let aligned = best(patterns, text);
        self.aligned += 1;
        // All are dropped at once: what repeats is soon known again.
        self.bytes += self.key.len();
        if self.known.len() >= MAX_ALIGNMENTS || self.bytes > MAX_ALIGNED_BYTES {
            self.known.clear();
            self.bytes = self.key.len();
        }
        self.known.insert(self.key.clone(), aligned.clone());
        aligned
    }
}

/// Returns the best alignment of `text` with any of `patterns` that is similar enough.
fn best<'p>(patterns: impl Iterator<Item = &'p Pattern>, text: &[u8]) -> Option<Alignment> {
    let words = words(text, MAX_WORDS);
    let mut best: Option<Alignment> = None;
    for pattern in patterns {
        let Some(pairs) = align(pattern, &words) else { continue };
        let Some(aligned) = read(pattern, text, &words, &pairs) else { continue };
        let better = |known: &Alignment| {
            (aligned.similarity, aligned.args.len()) > (known.similarity, known.args.len())
        };
        if aligned.similarity >= MIN_SIMILARITY && best.as_ref().is_none_or(better) {
            best = Some(aligned);
        }
    }
    best
}

impl Pattern {
    /// Splits a wording into slots.
    pub fn new(wording: &Wording) -> Pattern {
        let mut slots = Vec::new();
        let mut required = 0;
        for (i, part) in wording.parts.iter().enumerate() {
            match part {
                WordingPart::Literal { text, .. } => slots
                    .extend(words(text.as_bytes(), usize::MAX).into_iter().map(|word| Slot::Word(word.stem))),
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
}

/// Splits a text into words, at most `most`. Marks between letters and digits ("db1.contoso.com:6432") do not end a word;
/// contractions are two words.
fn words(text: &[u8], most: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut i = 0;
    while i < text.len() && words.len() < most {
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
            words.push(Word { stem: stem(word), start, end: i + 3 });
            i += 3;
        } else if word.ends_with(b"n't") && word.len() > 3 {
            let verb = if word == b"can't" { b"can" } else { &word[..word.len() - 3] };
            words.push(Word { stem: stem(verb), start, end: i - 3 });
            words.push(Word { stem: b"not".to_vec(), start: i - 3, end: i });
        } else if word == b"cannot" {
            words.push(Word { stem: b"can".to_vec(), start, end: start + 3 });
            words.push(Word { stem: b"not".to_vec(), start: start + 3, end: i });
        } else {
            words.push(Word { stem: stem(word), start, end: i });
        }
    }
    words.truncate(most);
    words
}

/// Whether the mark at `i` is inside a word.
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

/// Returns the form in which a word is compared: normalized, in lower case, without a plural's last letter.
fn stem(word: &[u8]) -> Vec<u8> {
    let mut stem = Normalized::new(word).bytes;
    stem.make_ascii_lowercase();
    if stem.len() > 3 && stem.ends_with(b"s") {
        stem.pop();
    }
    stem
}

/// The last edit of the best alignment of the slots and words up to a cell of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Edit {
    /// None: words of the text before the message.
    Start,
    /// The last slot and the last word are a pair.
    Pair,
    /// The last slot has no word.
    SlotAlone,
    /// The last word has no slot.
    WordAlone,
    /// The last word is the first of the argument that is the last slot.
    ArgumentFirst,
    /// The last word is a further one of it.
    ArgumentMore,
}

/// The scores and last edits of all alignments of the first `slot` slots with the first `word` words.
struct Table {
    columns: usize,
    scores: Vec<i32>,
    edits: Vec<Edit>,
}

impl Table {
    fn new(pattern: &Pattern, words: &[Word]) -> Table {
        let (rows, columns) = (pattern.slots.len() + 1, words.len() + 1);
        work::add(rows * columns);
        let (scores, edits) = (vec![0; rows * columns], vec![Edit::Start; rows * columns]);
        let mut table = Table { columns, scores, edits };
        for slot in 1..rows {
            for word in 0..columns {
                let index = table.index(slot, word);
                (table.scores[index], table.edits[index]) = table.best_edit(pattern, words, slot, word);
            }
        }
        table
    }

    fn index(&self, slot: usize, word: usize) -> usize {
        slot * self.columns + word
    }

    fn score(&self, slot: usize, word: usize) -> i32 {
        self.scores[self.index(slot, word)]
    }

    fn edit(&self, slot: usize, word: usize) -> Edit {
        self.edits[self.index(slot, word)]
    }

    /// Returns the best score of a cell and its edit, from the cells above and to the left of it. Of equal
    /// ones the first that is offered wins.
    fn best_edit(&self, pattern: &Pattern, words: &[Word], slot: usize, word: usize) -> (i32, Edit) {
        let mut best = (self.score(slot - 1, word) + SLOT_ALONE, Edit::SlotAlone);
        let mut offer = |score: i32, edit: Edit| {
            if score > best.0 {
                best = (score, edit);
            }
        };
        let Some(last) = word.checked_sub(1) else { return best };
        let (diagonal, left) = (self.score(slot - 1, last), self.score(slot, last));
        match &pattern.slots[slot - 1] {
            Slot::Word(stem) => {
                let equal = *stem == words[last].stem;
                offer(diagonal + if equal { EQUAL } else { DIFFERENT }, Edit::Pair);
                offer(left + WORD_ALONE, Edit::WordAlone);
            }
            Slot::Argument { .. } => {
                offer(diagonal + ARGUMENT_FIRST, Edit::ArgumentFirst);
                if matches!(self.edit(slot, last), Edit::ArgumentFirst | Edit::ArgumentMore) {
                    offer(left + ARGUMENT_MORE, Edit::ArgumentMore);
                } else {
                    offer(left + WORD_ALONE, Edit::WordAlone);
                }
            }
        }
        best
    }
}

/// Aligns the slots with the words and returns for each slot the word that agrees with it, by index.
fn align(pattern: &Pattern, words: &[Word]) -> Option<Vec<Option<usize>>> {
    let table = Table::new(pattern, words);
    // The wording may end after the sentence that completes its arguments, or anywhere later.
    let ends = (pattern.required..=pattern.slots.len())
        .flat_map(|slot| (0..=words.len()).map(move |word| (slot, word)));
    let (mut slot, mut word) = ends.max_by_key(|&(i, j)| (table.score(i, j), Reverse((i, j))))?;
    let mut pairs = vec![None; pattern.slots.len()];
    while slot > 0 {
        match table.edit(slot, word) {
            Edit::Start => break,
            Edit::SlotAlone => slot -= 1,
            Edit::WordAlone | Edit::ArgumentMore => word -= 1,
            Edit::ArgumentFirst => (slot, word) = (slot - 1, word - 1),
            Edit::Pair => {
                (slot, word) = (slot - 1, word - 1);
                if matches!(&pattern.slots[slot], Slot::Word(stem) if *stem == words[word].stem) {
                    pairs[slot] = Some(word);
                }
            }
        }
    }
    Some(pairs)
}

/// Reads the similarity, the range and the arguments of an alignment off its pairs.
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
        let after = (i + 1..pairs.len()).find_map(|k| Some((k, pairs[k]?)));
        let Some((left, word)) = before else { continue };
        let gap = ArgumentGap {
            from: words[word].end,
            to: after.map_or_else(|| message_end(text, words[word].end), |(_, word)| words[word].start),
            skipped: i - left - 1,
            exact_end: after.is_some_and(|(right, _)| right == i + 1),
        };
        if let Some((value, range)) = gap.argument(text, *kind) {
            aligned.end = aligned.end.max(range.end);
            if !aligned.args.iter().any(|known| known.index == *index) {
                aligned.args.push(AlignedArgument { index: *index, kind: *kind, value, range });
            }
        }
    }
    aligned.args.sort_by_key(|argument| argument.index);
    // The mark that closes the sentence belongs to it.
    aligned.end += usize::from(text.get(aligned.end) == Some(&b'.'));
    Some(aligned)
}

/// Returns where the sentence or string around `from` ends.
fn message_end(text: &[u8], from: usize) -> usize {
    let ends = |&at: &usize| match (text[at], text.get(at + 1)) {
        (b'.', next) => next.is_none_or(|next| next.is_ascii_whitespace() || *next == b'"'),
        (b'"', Some(b',' | b'}' | b']' | b'\n' | b'\r')) => true,
        _ => false,
    };
    (from..text.len()).find(ends).unwrap_or(text.len())
}

/// The text around an argument, between the next words on both sides that agree.
struct ArgumentGap {
    from: usize,
    to: usize,
    /// How many words of the wording are between the agreeing word and the argument: the text has others for
    /// them.
    skipped: usize,
    /// Whether the word directly after the argument agrees.
    exact_end: bool,
}

impl ArgumentGap {
    /// Returns the argument in the gap and where it is: the quoted text, else what the wording's own words
    /// leave.
    fn argument(&self, text: &[u8], kind: ValueKind) -> Option<(ArgValue, Range<usize>)> {
        let gap = text.get(self.from..self.to)?;
        let found = |from: usize, to: usize| {
            let range = argument(text, from, to, kind)?;
            Some((value(&text[range.clone()], kind)?, range))
        };
        if let Some((from, to)) = quoted(gap)
            && let Some(value) = found(self.from + from, self.from + to)
        {
            return Some(value);
        }
        let words = words(gap, usize::MAX);
        let first = self.from + words.get(self.skipped)?.start;
        let sentence = gap.windows(2).position(|pair| pair == b". ").map_or(self.to, |at| self.from + at);
        let end =
            if self.exact_end { sentence } else { self.from + bare_end(&words, gap, self.skipped, kind) };
        found(first, end.max(first))
    }
}

/// Returns where an argument without quotes ends if the words after it are not the wording's: after one name,
/// in a list after the name that follows the last comma.
fn bare_end(words: &[Word], gap: &[u8], skipped: usize, kind: ValueKind) -> usize {
    let comma = |pair: &[Word]| gap[pair[0].end..pair[1].start].contains(&b',');
    let after_comma = words[skipped..].windows(2).rposition(comma).filter(|_| kind == ValueKind::List);
    let mut last = after_comma.map_or(skipped, |at| skipped + at + 1);
    // A name of several words has capitals ("Full Name"); the words of a sentence after it have none.
    let capital = |word: Option<&Word>| word.is_some_and(|word| gap[word.start].is_ascii_uppercase());
    while capital(words.get(last)) && capital(words.get(last + 1)) {
        last += 1;
    }
    words[last].end
}

/// Returns the range from the first quote mark of a gap to the one that closes it, marks included.
fn quoted(gap: &[u8]) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(gap).ok()?;
    let (open_at, open) = text.char_indices().find(|(at, c)| {
        // An apostrophe or a quoted part inside a name opens nothing.
        QUOTES.contains(c)
            && !text[..*at].ends_with(|before: char| !before.is_whitespace() && !"(,:=[".contains(before))
    })?;
    let closes = |c: char| if open.is_ascii() { c == open } else { !c.is_ascii() && QUOTES.contains(&c) };
    let after = open_at + open.len_utf8();
    let close = text[after..].char_indices().find(|(at, c)| {
        let next = text[after + at + c.len_utf8()..].chars().next();
        closes(*c) && !next.is_some_and(|next| next.is_alphanumeric() || next == *c)
    })?;
    Some((open_at, after + close.0 + close.1.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::builtin;

    fn patterns(id: &str) -> Vec<Pattern> {
        let entry = builtin().entry(id).expect("an entry");
        entry.wordings.iter().map(|wording| Pattern::new(&Wording::new(0, entry, wording))).collect()
    }

    fn aligned(id: &str, text: &str) -> Option<Vec<String>> {
        let patterns = patterns(id);
        let aligned = best(patterns.iter(), text.as_bytes())?;
        Some(aligned.args.iter().map(|argument| argument.value.to_string()).collect())
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
    fn other_texts_are_not_aligned() {
        for text in
            ["occurred during validation", "", "The server is up and the migration goes on.", "see the log"]
        {
            assert_eq!(aligned("603405", text), None, "{text}");
        }
    }

    /// A text that repeats is aligned once, and the result is that of aligning it again; the texts that are kept are
    /// bounded.
    #[test]
    fn drifted_texts_that_repeat_are_aligned_once() {
        let (mut alignments, patterns) = (Alignments::default(), patterns("603405"));
        let text = |number: usize| {
            format!("The service will not move databases with '{number}' extensions on the source.")
        };
        for number in 0..3 * MAX_ALIGNMENTS {
            for text in [text(number), text(number), "something else".to_string()] {
                let want = best(patterns.iter(), text.as_bytes());
                assert_eq!(alignments.best(7, patterns.iter(), text.as_bytes()), want, "{text}");
                // Another entry has other wordings.
                assert_eq!(alignments.best(8, [].iter(), text.as_bytes()), None);
            }
            assert!(alignments.known.len() <= MAX_ALIGNMENTS && alignments.bytes <= MAX_ALIGNED_BYTES);
        }
        // Each once for either entry, and the one that repeats once more after each time that all were dropped.
        assert!(alignments.aligned < 2 * (3 * MAX_ALIGNMENTS + 20), "{}", alignments.aligned);
        let long = "the migration ".repeat(MAX_ALIGNED_BYTES / 20);
        for number in 0..4 {
            alignments.best(number, patterns.iter(), long.as_bytes());
            assert!(alignments.bytes <= MAX_ALIGNED_BYTES, "{}", alignments.bytes);
        }
    }
}
