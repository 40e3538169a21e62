//! Matches: what codes and messages that belong together say as one finding.
//!
//! The distinct messages and the codes of a window come in; [`Match`]es go out, in order. [`link`] decides
//! which of them belong together; this file decides what a cluster of them means.
//!
//! - A message with or without its code is a match of the message's entry, with the message's arguments.
//! - A code next to another entry's message is a match of the code: the service decides what it prints.
//! - A code without a message is a match of the code. Its message may be there in other words than the
//!   catalogue has: the text around the code is aligned with the wordings of its entry, and arguments are
//!   recovered ("drifted").
//! - An entry may have followups, sentences that have arguments and come after its code or message. Alone
//!   they could be anything, so they only extend a match.

use super::align::{AlignedArgument, Alignments, Pattern};
use super::argument;
use super::bounds::{self, Side, Stop};
use super::link::{self, Cluster, Token, TokenKind};
use super::messages::{Message, is_near};
use super::normalized::{Normalized, UnescapedText};
use super::region::Region;
use super::wording::{MatchQuality, Verification, WordingPart};
use super::{Match, MatchId, Matcher};
use crate::input::Window;
use std::ops::Range;

/// What is known about the tokens of a window when arguments of drifted messages are recovered.
struct Recovery {
    /// For each token, where the last text before it ends that is another finding's; 0 if there is none.
    before: Vec<usize>,
    /// For each token, where the first text after it starts that is another finding's.
    after: Vec<usize>,
    /// The text of the region read last, and its range: many codes may be in one line or object.
    region: (Range<usize>, UnescapedText),
    alignments: Alignments,
}

impl Recovery {
    fn new(tokens: &[Token]) -> Recovery {
        // An ambiguous code may be none.
        let counts = |token: &Token| !matches!(token.kind, TokenKind::Code { ambiguous: true, .. });
        let (mut before, mut after) = (Vec::with_capacity(tokens.len()), vec![usize::MAX; tokens.len()]);
        let mut end = 0;
        for token in tokens {
            before.push(end);
            end = if counts(token) { token.range.end } else { end };
        }
        let mut start = usize::MAX;
        for (token, after) in tokens.iter().zip(&mut after).rev() {
            *after = start;
            start = if counts(token) { token.range.start } else { start };
        }
        Recovery {
            before,
            after,
            region: (0..0, UnescapedText::default()),
            alignments: Alignments::default(),
        }
    }

    /// Reads the text of a region.
    fn read(&mut self, window: &Window<'_>, range: &Range<usize>) {
        if self.region.0 != *range {
            let memory = std::mem::take(&mut self.region.1);
            self.region = (range.clone(), memory.reuse(&window.bytes[range.clone()], range.start));
        }
    }
}

impl Matcher {
    /// Joins distinct messages and codes that are one finding, and returns the findings in order. None if `stop` said so.
    pub(super) fn join(
        &self,
        window: &Window<'_>,
        mut messages: Vec<Message>,
        codes: Vec<Token>,
        stop: Stop<'_>,
    ) -> Option<Vec<Match>> {
        let mut tokens = codes;
        // Without its own title or message, an ambiguous code is none and separates nothing.
        tokens.retain(|token| match token.kind {
            TokenKind::Code { ambiguous: true, titled: false, .. } => {
                token.entry.is_some_and(|entry| is_near(&messages, &token.range, entry))
            }
            _ => true,
        });
        tokens.extend(messages.iter().enumerate().map(|(i, message)| Token {
            range: message.range.clone(),
            entry: Some(message.entry),
            kind: TokenKind::Message(i),
        }));
        tokens.sort_by_key(|token| {
            (token.range.start, token.range.end, matches!(token.kind, TokenKind::Message(_)))
        });
        let is_title = |entry: usize, line: &[u8]| {
            // A copy: a mapped file may change while it is normalized.
            let copy = line.to_vec();
            let line = Normalized::new(&copy).bytes;
            line.strip_suffix(b".").unwrap_or(&line) == self.titles[entry]
        };
        let clusters = link::clusters(window.bytes, &tokens, &is_title, stop)?;
        let mut recovery = Recovery::new(&tokens);
        let mut matches: Vec<Match> = Vec::with_capacity(clusters.len());
        for cluster in &clusters {
            if stop() {
                return None;
            }
            matches.extend(self.joined(window, cluster, &tokens, &mut messages, &mut recovery));
        }
        matches.sort_by_key(|found| (found.range.start, found.range.end, found.id));
        Some(matches)
    }

    /// Returns the finding that a cluster of tokens is, and moves the arguments of its message into it.
    fn joined(
        &self,
        window: &Window<'_>,
        cluster: &Cluster,
        tokens: &[Token],
        messages: &mut [Message],
        recovery: &mut Recovery,
    ) -> Option<Match> {
        let members = || cluster.message.iter().chain(&cluster.codes).map(|index| &tokens[*index]);
        let start = members().map(|token| token.range.start).min()?;
        let end = members().map(|token| token.range.end).max()?;
        let message = cluster.message.and_then(|index| match tokens[index].kind {
            TokenKind::Message(message) => Some(&mut messages[message]),
            TokenKind::Code { .. } => None,
        });
        let code = cluster.codes.first().and_then(|index| match tokens[*index].kind {
            TokenKind::Code { code, titled, .. } => Some((code, tokens[*index].entry, titled)),
            TokenKind::Message(_) => None,
        });
        let alone = message.is_none();
        let mut found = match (message, code) {
            (Some(message), _) if !cluster.foreign => Match {
                id: MatchId::Entry(message.entry),
                quality: message.quality,
                args: std::mem::take(&mut message.args),
                range: start..end,
                code_in_log: code.is_some(),
            },
            (_, Some((code, entry, titled))) => {
                // The title is the whole message of an entry without wordings.
                let whole = titled && entry.is_some_and(|entry| self.entries[entry].wordings.is_empty());
                Match {
                    id: entry.map_or(MatchId::Unknown(code), MatchId::Entry),
                    quality: if whole { MatchQuality::Exact } else { MatchQuality::Absent },
                    args: Vec::new(),
                    range: start..end,
                    code_in_log: true,
                }
            }
            (_, None) => return None,
        };
        if alone && found.quality == MatchQuality::Absent {
            self.recover(window, cluster, tokens, recovery, &mut found);
        }
        if !cluster.foreign {
            self.follow(window, &mut found);
        }
        Some(found)
    }

    /// Aligns the text around a code without a message with the wordings of its entry: the message may have
    /// drifted.
    fn recover(
        &self,
        window: &Window<'_>,
        cluster: &Cluster,
        tokens: &[Token],
        recovery: &mut Recovery,
        found: &mut Match,
    ) {
        let MatchId::Entry(entry) = found.id else { return };
        let (Some(first), Some(last)) = (cluster.codes.first(), cluster.codes.last()) else { return };
        let trailing = matches!(tokens[*first].kind, TokenKind::Code { trailing: true, .. });
        let side = if trailing { Side::Before } else { Side::After };
        let mut range = bounds::message_region(window, &found.range, side);
        recovery.read(window, &range);
        let text = &recovery.region.1;
        // The text of other findings is not this one's.
        range.start = range.start.max(recovery.before[*first]);
        range.end = range.end.min(recovery.after[*last]);
        let (from, to) = (text.index_of(range.start), text.index_of(range.end));
        let patterns = self.wordings.iter().zip(&self.patterns).filter(|(wording, _)| wording.entry == entry);
        let patterns = patterns.map(|(wording, pattern)| pattern.get_or_init(|| Pattern::new(wording)));
        let aligned = recovery.alignments.best(entry, patterns, &text.bytes[from..to.max(from)]);
        let Some(aligned) = aligned else { return };
        found.quality = MatchQuality::Drifted;
        let shown = |AlignedArgument { index, kind, value, range }: AlignedArgument| {
            (index, argument::shown(text, from + range.start..from + range.end, kind, value))
        };
        found.args = aligned.args.into_iter().map(shown).collect();
        found.range.start = found.range.start.min(text.raw_start(from + aligned.start));
        found.range.end = found.range.end.max(text.raw_end(from + aligned.end));
    }

    /// Extends a match by a followup after it.
    fn follow(&self, window: &Window<'_>, found: &mut Match) {
        let MatchId::Entry(entry) = found.id else { return };
        let mut followups = self.followups.iter().filter(|followup| followup.entry == entry).peekable();
        if followups.peek().is_none() {
            return;
        }
        let end = bounds::line_within(window.bytes, found.range.end, 0, bounds::WRAP_AFTER).end;
        // The text of the match decides, too, which escapes are undone.
        let start = bounds::line(window, found.range.start).start.min(found.range.start);
        let region = Region::new(window.bytes, start..end);
        let first = region.index_of(found.range.end);
        for followup in followups {
            let Some((part, literal)) = followup.parts.iter().enumerate().find_map(|(i, part)| match part {
                WordingPart::Literal { normalized, .. } => Some((i, normalized)),
                WordingPart::Argument { .. } => None,
            }) else {
                continue;
            };
            for at in memchr::memmem::find_iter(&region.normalized().bytes[first..], literal) {
                if let Verification::Match(more) = followup.verify_at(&region.haystack(), part, 0, first + at)
                {
                    found.range.end = region.text.raw_end(more.end);
                    found.args.extend(more.args);
                    found.args.sort_by_key(|(index, _)| *index);
                    return;
                }
            }
        }
    }
}
