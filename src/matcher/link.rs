//! One finding or two: which codes and which messages belong together.
//!
//! The [`Mention`](super::code::Mention)s and messages around a window come in as [`Token`]s in order; [`Cluster`]s of
//! them go out, each one finding. Every decision depends only on atoms within [`MAX_LINK`]
//! bytes, so it is the same whatever the window: each code chooses the message it fits best (same entry, same line or
//! JSON object, the side it points to, nearest), and each message takes the codes that chose it.

use super::bounds::{MAX_LINK, MAX_LINK_LINES, starts_record};
use std::ops::Range;

/// A code or a message at its place in the window.
#[derive(Debug, Clone)]
pub struct Token {
    /// Range of raw bytes in the window.
    pub range: Range<usize>,
    /// The entry, by index; none for a code that no entry has.
    pub entry: Option<usize>,
    /// What it is.
    pub kind: TokenKind,
}

/// A code or a message.
#[derive(Debug, Clone)]
pub enum TokenKind {
    /// Six digits.
    Code {
        /// Their number.
        code: u32,
        /// Counts only beside its own title or message.
        ambiguous: bool,
        /// Points to the message before it.
        trailing: bool,
        /// The entry's title stands directly behind; the range holds it.
        titled: bool,
    },
    /// A message, by index in the list of messages found.
    Message(usize),
}

/// Atoms that are one finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The message, by atom index, if there is one.
    pub message: Option<usize>,
    /// The codes, by atom index, in order.
    pub codes: Vec<usize>,
    /// The message is another entry's: the code wins.
    pub foreign: bool,
}

/// How a code and a message stand to each other; smaller is closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    SameLine,
    SameObject,
    NeighbourLines,
}

/// A code that has chosen a message.
struct Attachment {
    message: usize,
    code: usize,
    relation: Relation,
    /// The message is another entry's.
    foreign: bool,
}

/// Groups `atoms`, which are in order of their range, codes before messages. `bytes` is the window; `is_title` says whether
/// a line of text is the title of the entry.
pub fn clusters(bytes: &[u8], atoms: &[Token], is_title: &dyn Fn(usize, &[u8]) -> bool) -> Vec<Cluster> {
    let linker = Linker { bytes, atoms, is_title, ends: ends(atoms) };
    let mut calls: Vec<Attachment> = (0..atoms.len()).filter_map(|code| linker.call(code)).collect();
    calls.sort_unstable_by_key(|call| (call.message, call.code));
    let mut taken: Vec<bool> = vec![false; atoms.len()];
    let mut groups = Vec::with_capacity(atoms.len());
    let (mut index, mut rest) = (0, &calls[..]);
    while index < atoms.len() {
        let is_message = |atom: &Token| matches!(atom.kind, TokenKind::Message(_));
        let twin = |atom: &&Token| is_message(atom) && atom.range == atoms[index].range;
        let twins = index..index + atoms[index..].iter().take_while(twin).count();
        if twins.is_empty() {
            index += 1;
            continue;
        }
        index = twins.end;
        let called;
        (called, rest) = rest.split_at(rest.partition_point(|call| call.message < twins.end));
        // The same words may be a wording of several entries: the one that is called by its code, else the first.
        let own = called.iter().filter(|call| !call.foreign).map(|call| call.message).min();
        let message = own.unwrap_or(twins.start);
        let foreign = own.is_none() && called.iter().any(|call| call.message == message);
        let callers = || called.iter().filter(|call| call.message == message && call.foreign == foreign);
        let closest = callers().map(|call| call.relation).min();
        let distance = |code: usize| linker.gap(code, message).map_or(usize::MAX, |gap| gap.len());
        let nearest = callers().map(|call| call.code).min_by_key(|code| distance(*code));
        let belongs = |call: &&Attachment| {
            let all = !foreign && Some(call.relation) == closest && call.relation != Relation::NeighbourLines;
            all && linker.same_code(nearest, call.code) || nearest == Some(call.code)
        };
        let codes: Vec<usize> = callers().filter(belongs).map(|call| call.code).collect();
        codes.iter().for_each(|code| taken[*code] = true);
        groups.push(Cluster { message: Some(message), codes, foreign });
    }
    // The last code alone, and its group.
    let mut last: Option<(usize, usize)> = None;
    for (index, atom) in atoms.iter().enumerate() {
        let TokenKind::Code { ambiguous, titled, .. } = atom.kind else { continue };
        if taken[index] || ambiguous && !titled {
            continue;
        }
        // The same code again on the line, as in `{"code":603405,"errorCode":"603405"}`, is the same finding.
        let again = last.filter(|&(code, _)| {
            let near = linker.near(code, index) && linker.same_code(Some(code), index);
            near && linker.relation(code, index) == Some(Relation::SameLine)
        });
        let group = again.map_or(groups.len(), |(_, group)| group);
        match groups.get_mut(group) {
            // A chain of them may go on beyond what a window sees: how far the finding reaches does not.
            Some(group) if linker.near(group.codes[0], index) => group.codes.push(index),
            Some(_) => {}
            None => groups.push(Cluster { message: None, codes: vec![index], foreign: false }),
        }
        last = Some((index, group));
    }
    groups
}

struct Linker<'a> {
    bytes: &'a [u8],
    atoms: &'a [Token],
    is_title: &'a dyn Fn(usize, &[u8]) -> bool,
    /// For each atom the last end of it and those before.
    ends: Vec<usize>,
}

fn ends(atoms: &[Token]) -> Vec<usize> {
    let last = |known: &mut usize, atom: &Token| {
        *known = atom.range.end.max(*known);
        Some(*known)
    };
    atoms.iter().scan(0, last).collect()
}

impl Linker<'_> {
    /// The message that the code `index` belongs to.
    fn call(&self, index: usize) -> Option<Attachment> {
        let TokenKind::Code { ambiguous, trailing, .. } = self.atoms[index].kind else { return None };
        let own = &self.atoms[index].range;
        let (floor, ceiling) = (self.floor(own.start), self.ceiling(own.end));
        let near = |other: &usize| self.near(index, *other);
        let before = (0..index)
            .rev()
            .take_while(|i| self.ends[*i] > floor && self.atoms[*i].range.start + 2 * MAX_LINK > own.start);
        let behind =
            (index + 1..self.atoms.len()).take_while(|i| self.atoms[*i].range.start <= ceiling && near(i));
        let mut best = None;
        for other in before.filter(near).chain(behind) {
            if !matches!(self.atoms[other].kind, TokenKind::Message(_)) {
                continue;
            }
            let foreign = self.atoms[other].entry != self.atoms[index].entry;
            let against = (other < index) != trailing;
            let distance = self.gap(index, other).map_or(usize::MAX, |gap| gap.len());
            let better = |cost| best.as_ref().is_none_or(|(known, _)| cost < *known);
            if !better((foreign, Relation::SameLine, against, distance)) {
                continue;
            }
            let Some(relation) = self.relation(index, other) else { continue };
            if foreign && (ambiguous || relation == Relation::NeighbourLines || !self.adjacent(index, other))
            {
                continue;
            }
            let cost = (foreign, relation, against, distance);
            if better(cost) {
                best = Some((cost, other));
            }
        }
        best.map(|((foreign, relation, ..), message)| Attachment { message, code: index, relation, foreign })
    }

    /// What ends here or before is unrelated to a code at `start`: too far, or behind what parts them for good.
    fn floor(&self, start: usize) -> usize {
        let limit = start.saturating_sub(MAX_LINK + 1);
        let (mut between, mut open, mut end) = (Between::default(), 0, start);
        for at in memchr::memrchr3_iter(b'\n', b'{', b'}', &self.bytes[limit..start]).map(|at| limit + at) {
            match self.bytes[at] {
                b'{' => open += 1,
                b'}' => open -= 1,
                _ => between.take(&self.bytes[at + 1..end]),
            }
            if open > 0 || between.parted() {
                return at;
            }
            if self.bytes[at] == b'\n' {
                end = at;
            }
        }
        limit
    }

    /// The same behind a code that ends at `end`: what begins behind it is unrelated.
    fn ceiling(&self, end: usize) -> usize {
        let limit = self.bytes.len().min(end + MAX_LINK);
        let (mut between, mut open, mut line) = (Between::default(), 0, None);
        for at in memchr::memchr3_iter(b'\n', b'{', b'}', &self.bytes[end..limit]).map(|at| end + at) {
            match self.bytes[at] {
                b'{' => open += 1,
                b'}' => open -= 1,
                _ => {
                    if let Some(begin) = line.replace(at + 1) {
                        between.take(&self.bytes[begin..at]);
                    }
                }
            }
            if open < 0 || between.parted() {
                return at;
            }
        }
        limit
    }

    /// The range between two atoms; none where they overlap.
    fn gap(&self, a: usize, b: usize) -> Option<Range<usize>> {
        let (a, b) = (&self.atoms[a].range, &self.atoms[b].range);
        if a.end <= b.start {
            Some(a.end..b.start)
        } else if b.end <= a.start {
            Some(b.end..a.start)
        } else {
            // A code inside its message, as a title with the code in the middle of a sentence.
            Some(a.start..a.start)
        }
    }

    /// Whether two atoms are close enough to be one finding.
    fn near(&self, a: usize, b: usize) -> bool {
        self.gap(a, b).is_some_and(|gap| gap.len() <= MAX_LINK)
    }

    /// Whether no other atom stands between.
    fn adjacent(&self, a: usize, b: usize) -> bool {
        let Some(gap) = self.gap(a, b) else { return false };
        let (low, high) = (a.min(b), a.max(b));
        !self.atoms[low + 1..high].iter().any(|atom| gap.contains(&atom.range.start))
    }

    fn same_code(&self, a: Option<usize>, b: usize) -> bool {
        let code = |i: usize| match self.atoms[i].kind {
            TokenKind::Code { code, .. } => Some(code),
            TokenKind::Message(_) => None,
        };
        a.is_some_and(|a| code(a) == code(b))
    }

    /// How two atoms stand to each other; none where a record ends between them.
    fn relation(&self, a: usize, b: usize) -> Option<Relation> {
        let range = self.gap(a, b)?;
        let gap = &self.bytes[range.clone()];
        if !balanced(gap) {
            return None;
        }
        if memchr::memchr(b'\n', gap).is_none() {
            return Some(Relation::SameLine);
        }
        // The line of the later atom counts from its begin: what stands before it on the line may be a time stamp.
        let entry = self.atoms[a].entry.or(self.atoms[b].entry);
        let (mut count, mut members, mut quoted, mut barrier) = (0, true, false, false);
        let mut breaks = memchr::memchr_iter(b'\n', gap).peekable();
        while let Some(at) = breaks.next() {
            let line = gap[at + 1..breaks.peek().copied().unwrap_or(gap.len())].trim_ascii();
            count += 1;
            members = members && is_member(line);
            quoted = quoted || line.starts_with(b"\"");
            barrier = barrier
                || starts_record(line)
                || breaks.peek().is_some() && complete_sentence(line) && !self.title(entry, line);
        }
        if members && quoted {
            return Some(Relation::SameObject);
        }
        let crossed = || {
            let (low, high) = (a.min(b), a.max(b));
            self.atoms[low + 1..high].iter().any(|atom| {
                range.contains(&atom.range.start)
                    && !matches!(atom.kind, TokenKind::Code { ambiguous: true, .. })
            })
        };
        (count <= MAX_LINK_LINES && !barrier && !crossed()).then_some(Relation::NeighbourLines)
    }

    fn title(&self, entry: Option<usize>, line: &[u8]) -> bool {
        entry.is_some_and(|entry| (self.is_title)(entry, line))
    }
}

/// What the whole lines between two atoms say, however many more follow: once they part what stands on either side, no
/// atom further on belongs to it.
#[derive(Default)]
struct Between {
    lines: usize,
    /// No relation within one object is left.
    objects: bool,
    /// No relation between neighbouring lines is left.
    records: bool,
}

impl Between {
    fn take(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        self.lines += 1;
        self.objects |= !is_member(line);
        self.records |= self.lines > MAX_LINK_LINES || starts_record(line);
    }

    fn parted(&self) -> bool {
        self.objects && self.records
    }
}

/// Whether a trimmed line may be one of a JSON object that is spread over lines.
fn is_member(line: &[u8]) -> bool {
    matches!(line.first(), None | Some(b'"' | b'{' | b'}' | b'[' | b']'))
}

/// Whether no object ends in `gap` that did not begin in it, and none stays open.
fn balanced(gap: &[u8]) -> bool {
    let mut depth = 0i32;
    for at in memchr::memchr2_iter(b'{', b'}', gap) {
        depth += if gap[at] == b'{' { 1 } else { -1 };
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Whether a line is a whole sentence: it has four words and ends like one.
fn complete_sentence(line: &[u8]) -> bool {
    let words = || line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(4).count();
    matches!(line.last(), Some(b'.' | b'!' | b'?')) && words() == 4
}
