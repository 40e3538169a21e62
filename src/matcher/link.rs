//! Linking: which codes and which messages are one finding.
//!
//! Codes and messages of a window come in as [`Token`]s in order; [`Cluster`]s of them go out, each one
//! finding. This file does not know how tokens were found.
//!
//! # The problem
//!
//! A log may name one failure once or several times, and the code may be anywhere near the message:
//!
//! ```text
//! 603403: Collation mismatch. Source database contains user-defined collations.        code, title and message: one
//! Source database contains user-defined collations. (error code 603403)                code after the message: one
//! {"code": "603403", "errorCode": 603403, "message": "Source database contains ..."}   two codes and a message: one
//! {"code": "603403", "m": "Source ..."}, {"code": "603403", "m": "Source ..."}         two objects: two
//! 603104: Database orders does not exist on the source server.                         another code's message: one, 603104
//! ```
//!
//! If two lines of the first kind follow each other, then the first message is as near to the second code as
//! to its own. So the tokens cannot be grouped by distance alone.
//!
//! # The decision
//!
//! 1. Each code *chooses* at most one message (`Linker::attachment`): one of its own entry before one of
//!    another entry, then one on the same line before one in the same JSON object before one on a neighbor
//!    line, then one on the side to which the code points ("... (error code 603403)" points to what is before
//!    it), then the nearest.
//! 2. Each message *accepts* codes that chose it (`Linker::message_cluster`): all that name the same code
//!    if they are as close as can be, as in `"code": ..., "errorCode": ...`; on neighbor lines only the
//!    nearest. If only codes of other entries chose it, the nearest of them is the finding: the service
//!    printed it with this message.
//! 3. The codes that are left are findings without a message (`Linker::add_lone_codes`). One that repeats
//!    the code before it on the same line is the same finding.
//!
//! What separates two tokens for good is in `Linker::relation`: a brace of JSON that is closed or opened
//! between them, a line that starts a record, a line that is a whole sentence other than the title, or more
//! than [`MAX_LINK_LINES`] lines.
//!
//! # Invariant
//!
//! Every decision depends only on tokens within [`MAX_LINK`] bytes of a token, and three such steps fit into
//! the margin in which stage 1 searches, so the clusters that start in the core of a window are the same
//! wherever the source is cut.

use super::bounds::{MAX_LINK, MAX_LINK_LINES, Stop, starts_record};
use super::work;
use crate::catalog::Code;
use std::ops::Range;

/// A code or a message at its place in the window.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its raw bytes in the window.
    pub range: Range<usize>,
    /// The entry, by index; none for a code that no entry has.
    pub entry: Option<usize>,
    /// Whether it is a code or a message.
    pub kind: TokenKind,
}

/// A code or a message.
#[derive(Debug, Clone)]
pub enum TokenKind {
    /// A code.
    Code {
        /// Its text.
        code: Code,
        /// It counts only next to its own title or message.
        ambiguous: bool,
        /// It points to the message before it.
        trailing: bool,
        /// The entry's title follows directly; the range contains it.
        titled: bool,
    },
    /// A message, by index in the list of messages found.
    Message(usize),
}

/// Tokens that are one finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Cluster {
    /// The message, by token index, if there is one.
    pub message: Option<usize>,
    /// The codes, by token index, in order.
    pub codes: Vec<usize>,
    /// The message is another entry's: the code wins.
    pub foreign: bool,
}

/// How close two tokens are in the structure of the log, the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relation {
    /// On one line.
    SameLine,
    /// In one JSON object that is spread over lines.
    SameObject,
    /// On lines near each other, in one record.
    NeighborLines,
}

/// A code that has chosen a message.
struct Attachment {
    /// The message, by token index.
    message: usize,
    /// The code, by token index.
    code: usize,
    relation: Relation,
    /// The message is another entry's.
    foreign: bool,
}

/// How badly a message fits a code; the least is best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Misfit {
    /// The message is another entry's.
    foreign: bool,
    relation: Relation,
    /// It is not on the side to which the code points.
    wrong_side: bool,
    /// The bytes between them.
    distance: usize,
}

/// Groups `tokens`, which are in order of their range, codes before messages, into clusters. `bytes` is the
/// window; `is_title` returns whether a line of text is the title of an entry. None if `stop` said so.
pub fn clusters(
    bytes: &[u8],
    tokens: &[Token],
    is_title: &dyn Fn(usize, &[u8]) -> bool,
    stop: Stop<'_>,
) -> Option<Vec<Cluster>> {
    let linker = Linker { bytes, tokens, is_title, ends: running_ends(tokens) };
    let mut attachments: Vec<Attachment> = Vec::new();
    for code in 0..tokens.len() {
        if stop() {
            return None;
        }
        attachments.extend(linker.attachment(code));
    }
    attachments.sort_unstable_by_key(|attachment| (attachment.message, attachment.code));
    let mut clusters = linker.message_clusters(&attachments);
    linker.add_lone_codes(&mut clusters, stop)?;
    Some(clusters)
}

/// Decides how tokens of one window belong together.
struct Linker<'a> {
    bytes: &'a [u8],
    tokens: &'a [Token],
    is_title: &'a dyn Fn(usize, &[u8]) -> bool,
    /// For each token the last end of it and those before, because tokens may contain each other.
    ends: Vec<usize>,
}

fn running_ends(tokens: &[Token]) -> Vec<usize> {
    let last = |known: &mut usize, token: &Token| {
        *known = token.range.end.max(*known);
        Some(*known)
    };
    tokens.iter().scan(0, last).collect()
}

impl Linker<'_> {
    /// Returns a cluster for each message, with the codes that it accepts, in order of the messages.
    fn message_clusters(&self, attachments: &[Attachment]) -> Vec<Cluster> {
        let mut clusters = Vec::with_capacity(self.tokens.len());
        let (mut index, mut rest) = (0, attachments);
        while index < self.tokens.len() {
            let twins = self.twins(index);
            if twins.is_empty() {
                index += 1;
                continue;
            }
            index = twins.end;
            let attached;
            (attached, rest) = rest.split_at(rest.partition_point(|other| other.message < twins.end));
            clusters.push(self.message_cluster(twins, attached));
        }
        clusters
    }

    /// Returns the messages from the token `index` on that have the same range: the same words may be a
    /// wording of several entries.
    fn twins(&self, index: usize) -> Range<usize> {
        let range = &self.tokens[index].range;
        let twin = |token: &&Token| matches!(token.kind, TokenKind::Message(_)) && token.range == *range;
        index..index + self.tokens[index..].iter().take_while(twin).count()
    }

    /// Returns the cluster of one message of `twins`, to which the codes of `attached` are attached: of the
    /// one that is named by its own code, else of the first.
    fn message_cluster(&self, twins: Range<usize>, attached: &[Attachment]) -> Cluster {
        let own = attached.iter().filter(|other| !other.foreign).map(|other| other.message).min();
        let message = own.unwrap_or(twins.start);
        let foreign = own.is_none() && attached.iter().any(|other| other.message == message);
        let callers = || attached.iter().filter(|other| other.message == message && other.foreign == foreign);
        let closest = callers().map(|other| other.relation).min();
        let distance = |code: usize| self.gap(code, message).len();
        let nearest = callers().map(|other| other.code).min_by_key(|code| distance(*code));
        let accepted = |other: &&Attachment| {
            let as_close = !foreign
                && Some(other.relation) == closest
                && other.relation != Relation::NeighborLines
                && nearest.is_some_and(|nearest| self.same_code(nearest, other.code));
            as_close || nearest == Some(other.code)
        };
        let codes = callers().filter(accepted).map(|other| other.code).collect();
        Cluster { message: Some(message), codes, foreign }
    }

    /// Adds clusters of the codes that no message has accepted.
    fn add_lone_codes(&self, clusters: &mut Vec<Cluster>, stop: Stop<'_>) -> Option<()> {
        let mut accepted = vec![false; self.tokens.len()];
        clusters.iter().flat_map(|cluster| &cluster.codes).for_each(|code| accepted[*code] = true);
        // The lone code before, and the index of its cluster.
        let mut last: Option<(usize, usize)> = None;
        for (index, token) in self.tokens.iter().enumerate() {
            let TokenKind::Code { ambiguous, titled, .. } = token.kind else { continue };
            if stop() {
                return None;
            }
            if accepted[index] || ambiguous && !titled {
                continue;
            }
            // The same code again on the line, as in `{"code":603405,"errorCode":"603405"}`, is the same
            // finding.
            let repeated = last.filter(|&(code, _)| {
                let near = self.near(code, index) && self.same_code(code, index);
                near && self.relation(code, index) == Some(Relation::SameLine)
            });
            let number = repeated.map_or(clusters.len(), |(_, number)| number);
            match clusters.get_mut(number) {
                // A chain of repetitions may be longer than what a window sees, so the finding reaches only
                // as far from its first code as every window sees; the rest of the chain is neither in it nor
                // another finding.
                Some(cluster) if self.near(cluster.codes[0], index) => cluster.codes.push(index),
                Some(_) => {}
                None => clusters.push(Cluster { message: None, codes: vec![index], foreign: false }),
            }
            last = Some((index, number));
        }
        Some(())
    }

    /// Returns the message to which the code `index` belongs.
    fn attachment(&self, index: usize) -> Option<Attachment> {
        let TokenKind::Code { ambiguous, trailing, .. } = self.tokens[index].kind else { return None };
        let mut best: Option<(Misfit, usize)> = None;
        for other in self.tokens_near(index) {
            work::add(1);
            if !matches!(self.tokens[other].kind, TokenKind::Message(_)) {
                continue;
            }
            let foreign = self.tokens[other].entry != self.tokens[index].entry;
            let wrong_side = (other < index) != trailing;
            let distance = self.gap(index, other).len();
            let misfit = |relation| Misfit { foreign, relation, wrong_side, distance };
            let better = |misfit| best.as_ref().is_none_or(|(known, _)| misfit < *known);
            // The relation is expensive, so the best that it can be is tried first.
            if !better(misfit(Relation::SameLine)) {
                continue;
            }
            // So is what can be ruled out without it: in a dense log, another entry's message is rarely adjacent.
            if foreign && (ambiguous || !self.adjacent(index, other)) {
                continue;
            }
            let Some(relation) = self.relation(index, other) else { continue };
            if foreign && relation == Relation::NeighborLines {
                continue;
            }
            if better(misfit(relation)) {
                best = Some((misfit(relation), other));
            }
        }
        best.map(|(Misfit { foreign, relation, .. }, message)| Attachment {
            message,
            code: index,
            relation,
            foreign,
        })
    }

    /// Returns the tokens that may belong to the code `index`, those before it first.
    fn tokens_near(&self, index: usize) -> impl Iterator<Item = usize> {
        let own = &self.tokens[index].range;
        let (floor, ceiling) = (self.floor(own.start), self.ceiling(own.end));
        let before = (0..index)
            .rev()
            .take_while(move |i| {
                self.ends[*i] > floor && self.tokens[*i].range.start + 2 * MAX_LINK > own.start
            })
            .filter(move |i| self.near(index, *i));
        let after = (index + 1..self.tokens.len())
            .take_while(move |i| self.tokens[*i].range.start <= ceiling && self.near(index, *i));
        before.chain(after)
    }

    /// Returns the offset before which everything is unrelated to a code at `start`: it is too far, or
    /// separated for good.
    ///
    /// In a dense log there are dozens of tokens within [`MAX_LINK`] bytes, but few without a record's
    /// start in between.
    fn floor(&self, start: usize) -> usize {
        let limit = start.saturating_sub(MAX_LINK + 1);
        let (mut separation, mut open, mut end) = (Separation::default(), 0, start);
        for at in memchr::memrchr3_iter(b'\n', b'{', b'}', &self.bytes[limit..start]).map(|at| limit + at) {
            match self.bytes[at] {
                b'{' => open += 1,
                b'}' => open -= 1,
                _ => separation.add(&self.bytes[at + 1..end]),
            }
            if open > 0 || separation.is_final() {
                return at;
            }
            if self.bytes[at] == b'\n' {
                end = at;
            }
        }
        limit
    }

    /// Returns the offset after which everything is unrelated to a code that ends at `end`.
    fn ceiling(&self, end: usize) -> usize {
        let limit = self.bytes.len().min(end + MAX_LINK);
        let (mut separation, mut open, mut line) = (Separation::default(), 0, None);
        for at in memchr::memchr3_iter(b'\n', b'{', b'}', &self.bytes[end..limit]).map(|at| end + at) {
            match self.bytes[at] {
                b'{' => open += 1,
                b'}' => open -= 1,
                _ => {
                    if let Some(start) = line.replace(at + 1) {
                        separation.add(&self.bytes[start..at]);
                    }
                }
            }
            if open < 0 || separation.is_final() {
                return at;
            }
        }
        limit
    }

    /// Returns the range between two tokens, an empty one if they overlap.
    fn gap(&self, a: usize, b: usize) -> Range<usize> {
        let (a, b) = (&self.tokens[a].range, &self.tokens[b].range);
        if a.end <= b.start {
            a.end..b.start
        } else if b.end <= a.start {
            b.end..a.start
        } else {
            // A code inside its message, as a title with the code in the middle of a sentence.
            a.start..a.start
        }
    }

    /// Whether two tokens are close enough to be one finding.
    fn near(&self, a: usize, b: usize) -> bool {
        self.gap(a, b).len() <= MAX_LINK
    }

    /// Whether no other token is between two.
    fn adjacent(&self, a: usize, b: usize) -> bool {
        let gap = self.gap(a, b);
        let (low, high) = (a.min(b), a.max(b));
        work::add(high - low);
        !self.tokens[low + 1..high].iter().any(|token| gap.contains(&token.range.start))
    }

    /// Whether two tokens are the same code.
    fn same_code(&self, a: usize, b: usize) -> bool {
        let code = |i: usize| match self.tokens[i].kind {
            TokenKind::Code { code, .. } => Some(code),
            TokenKind::Message(_) => None,
        };
        code(a) == code(b)
    }

    /// Returns how close two tokens are; none if they are separated.
    fn relation(&self, a: usize, b: usize) -> Option<Relation> {
        let range = self.gap(a, b);
        let gap = &self.bytes[range.clone()];
        work::add(gap.len());
        if !is_balanced(gap) {
            return None;
        }
        if memchr::memchr(b'\n', gap).is_none() {
            return Some(Relation::SameLine);
        }
        let lines = self.lines_between(gap, self.tokens[a].entry.or(self.tokens[b].entry));
        if lines.all_members && lines.quoted {
            return Some(Relation::SameObject);
        }
        let crosses = |token: &Token| {
            range.contains(&token.range.start)
                && !matches!(token.kind, TokenKind::Code { ambiguous: true, .. })
        };
        let crossed = || self.tokens[a.min(b) + 1..a.max(b)].iter().any(crosses);
        (lines.count <= MAX_LINK_LINES && !lines.barrier && !crossed()).then_some(Relation::NeighborLines)
    }

    /// Reads the lines in the gap between two tokens, one of which is of `entry`.
    ///
    /// The last line is that of the later token, up to the token. The text before a token on the first line
    /// is not in the gap: it may be a time stamp.
    fn lines_between(&self, gap: &[u8], entry: Option<usize>) -> LinesBetween {
        let mut lines = LinesBetween { count: 0, all_members: true, quoted: false, barrier: false };
        let mut breaks = memchr::memchr_iter(b'\n', gap).peekable();
        while let Some(at) = breaks.next() {
            let line = gap[at + 1..breaks.peek().copied().unwrap_or(gap.len())].trim_ascii();
            let whole = breaks.peek().is_some();
            lines.count += 1;
            lines.all_members = lines.all_members && is_member(line);
            lines.quoted = lines.quoted || line.starts_with(b"\"");
            lines.barrier = lines.barrier
                || starts_record(line)
                || whole && is_complete_sentence(line) && !self.is_title(entry, line);
        }
        lines
    }

    fn is_title(&self, entry: Option<usize>, line: &[u8]) -> bool {
        entry.is_some_and(|entry| (self.is_title)(entry, line))
    }
}

/// The lines in the gap between two tokens.
struct LinesBetween {
    count: usize,
    /// All may be lines of one JSON object.
    all_members: bool,
    /// One starts with a quote mark, as a member of an object does.
    quoted: bool,
    /// One starts a record or is a whole sentence.
    barrier: bool,
}

/// The relations that are still possible to tokens further away, beyond the lines that were added.
#[derive(Default)]
struct Separation {
    lines: usize,
    /// Not in one object.
    not_one_object: bool,
    /// Not on neighbor lines.
    not_near_lines: bool,
}

impl Separation {
    /// Adds the next line between a token and what is further away.
    fn add(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        self.lines += 1;
        self.not_one_object |= !is_member(line);
        self.not_near_lines |= self.lines > MAX_LINK_LINES || starts_record(line);
    }

    /// Whether no relation is possible any more.
    fn is_final(&self) -> bool {
        self.not_one_object && self.not_near_lines
    }
}

/// Whether a trimmed line may be one of a JSON object that is spread over lines.
fn is_member(line: &[u8]) -> bool {
    matches!(line.first(), None | Some(b'"' | b'{' | b'}' | b'[' | b']'))
}

/// Whether every object that ends in `gap` starts in it, and every one that starts in it ends in it.
fn is_balanced(gap: &[u8]) -> bool {
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
fn is_complete_sentence(line: &[u8]) -> bool {
    let words = || line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(4).count();
    matches!(line.last(), Some(b'.' | b'!' | b'?')) && words() == 4
}
