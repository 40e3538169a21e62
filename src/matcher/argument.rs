//! Arguments: which bytes between two literals of a wording are an argument, and its value.
//!
//! Unescaped text and the bounds of a gap in it come in; the range of the argument and its value go out, or
//! nothing if the gap cannot be an argument of its kind. This file does not know wordings:
//! [`wording`](super::wording) finds the literals on both sides of a gap.
//!
//! An argument in quotes ends where the quotes close. The service also logs arguments without quotes, and
//! then nothing marks the end but the next literal. Any gap is refused if it crosses an empty line or the
//! start of another record. One without quotes is also refused if it cannot be a name: if it has more than
//! `MAX_BARE_WORDS` words or a full stop inside. "Database my database exists on the target server." names
//! `my database`; in "Database engine started. The file exists on the target server." the gap is no name.

use super::bounds::starts_record;
use super::bytes::{is_word, lossy, mail_quote};
use super::normalized::UnescapedText;
use crate::catalog::{ArgValue, QUOTES, ValueKind};
use crate::redact::secrets::MASK;
use std::borrow::Cow;
use std::ops::Range;

/// The longest argument between quotes, and the longest list, in bytes of text.
pub const MAX_ARGUMENT: usize = 1024;
/// The most words of an argument without quotes.
const MAX_BARE_WORDS: usize = 6;

/// Returns the trimmed range of the gap `from..to` if it can be an argument of `kind`.
pub(super) fn argument(text: &[u8], from: usize, to: usize, kind: ValueKind) -> Option<Range<usize>> {
    let gap = text.get(from..to)?;
    let lead = gap.len() - gap.trim_ascii_start().len();
    // Marks of quoted mail are no part of it.
    let lead = if gap[..lead].contains(&b'\n') { lead + mail_quote(&gap[lead..]) } else { lead };
    let trimmed = gap[lead..].trim_ascii_end();
    if !trimmed.iter().any(|byte| is_word(*byte)) || trimmed.len() > MAX_ARGUMENT || breaks_record(trimmed) {
        return None;
    }
    let quoted = closes(text, from, to) && !closes_inside(trimmed);
    let words = |part: &[u8]| part.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    let too_wordy = match kind {
        ValueKind::List => trimmed.split(|byte| *byte == b',').any(|item| words(item) > MAX_BARE_WORDS),
        _ => words(trimmed) > MAX_BARE_WORDS,
    };
    let sentences = trimmed.windows(2).any(|pair| pair == b". ");
    if (too_wordy || sentences) && !quoted || !is_value(trimmed, kind) {
        return None;
    }
    Some(from + lead..from + lead + trimmed.len())
}

/// Whether a gap crosses an empty line, or a line break after which a new record starts.
fn breaks_record(gap: &[u8]) -> bool {
    gap.split(|byte| *byte == b'\n').skip(1).any(|line| {
        let line = line.trim_ascii_start();
        line.is_empty() || starts_record(line)
    })
}

/// Returns the quote mark that opens an argument at `from`, and the index after it.
pub(super) fn opening_quote(text: &[u8], from: usize) -> Option<(char, usize)> {
    let skip = text[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = &text[from + skip..(from + skip + 4).min(text.len())];
    let character = first_char(rest)?;
    QUOTES.contains(&character).then(|| (character, from + skip + character.len_utf8()))
}

fn first_char(bytes: &[u8]) -> Option<char> {
    if let Some(byte) = bytes.first().filter(|byte| byte.is_ascii()) {
        return Some(char::from(*byte));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().next(),
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?.chars().next(),
    }
}

/// Whether the gap `from..to` ends with a mark that closes the one it starts with.
pub(super) fn closes(text: &[u8], from: usize, to: usize) -> bool {
    let Some((open, after)) = opening_quote(text, from) else { return false };
    let inner = text[after..to.max(after)].trim_ascii_end();
    let close = match open {
        '‘' | '‚' | '‛' => '’',
        '“' | '„' => '”',
        '«' => '»',
        other => other,
    };
    let mut buffer = [0; 4];
    inner.ends_with(close.encode_utf8(&mut buffer).as_bytes())
}

/// Whether a gap ends with a quote mark.
pub(super) fn ends_quoted(gap: &[u8]) -> bool {
    lossy(gap.trim_ascii_end()).ends_with(QUOTES)
}

/// Whether the closing mark of a quoted text also occurs inside of it with a blank after it: it is two quoted
/// texts.
fn closes_inside(quoted: &[u8]) -> bool {
    let text = lossy(quoted);
    let inner = unquoted(&text);
    let close = text.chars().next_back().unwrap_or_default();
    inner
        .char_indices()
        .any(|(i, c)| c == close && inner[i + c.len_utf8()..].starts_with(char::is_whitespace))
}

/// Returns the value of an argument's text: without quotes, lists split, line breaks as one blank.
pub(super) fn value(text: &[u8], kind: ValueKind) -> Option<ArgValue> {
    let text = unwrapped(text);
    let inner = unquoted(&text);
    if kind == ValueKind::List {
        let items: Vec<String> = items(inner).map(str::to_string).collect();
        return (!items.is_empty()).then_some(ArgValue::Many(items));
    }
    fits(inner, kind).then(|| ArgValue::One(inner.to_string()))
}

/// Returns `value`, which was read from `range` of `text`, as it is reported: read again with the secrets masked if there
/// are any in that range.
pub(super) fn shown(text: &UnescapedText, range: Range<usize>, kind: ValueKind, value: ArgValue) -> ArgValue {
    match text.shown(range) {
        Cow::Borrowed(_) => value,
        Cow::Owned(masked) => self::value(&masked, kind).unwrap_or_else(|| ArgValue::One(MASK.into())),
    }
}

/// Whether an argument's text has a value.
fn is_value(text: &[u8], kind: ValueKind) -> bool {
    // Text with a letter or digit has one: only marks are trimmed.
    if matches!(kind, ValueKind::Text | ValueKind::List) && text.iter().any(u8::is_ascii_alphanumeric) {
        return true;
    }
    let text = unwrapped(text);
    let inner = unquoted(&text);
    if kind == ValueKind::List { items(inner).next().is_some() } else { fits(inner, kind) }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(|item| item.trim().trim_matches(QUOTES).trim()).filter(|item| !item.is_empty())
}

fn fits(value: &str, kind: ValueKind) -> bool {
    !value.is_empty()
        && match kind {
            ValueKind::Number => value.chars().all(|c| c.is_ascii_digit()),
            ValueKind::Version => value.chars().all(|c| c.is_ascii_digit() || c == '.'),
            ValueKind::Word => !value.contains(char::is_whitespace),
            ValueKind::Text | ValueKind::List => true,
        }
}

/// Returns `text` without the pair of quote marks around it; a single mark stays.
fn unquoted(text: &str) -> &str {
    let opened = text.strip_prefix(QUOTES);
    let closed = text.strip_suffix(QUOTES);
    match (opened, closed) {
        (Some(inner), Some(_)) if text.chars().nth(1).is_some() => {
            inner.strip_suffix(QUOTES).unwrap_or(inner)
        }
        _ => text,
    }
}

/// Returns trimmed text with each line break, and the marks that mail puts after it, as one blank.
fn unwrapped(text: &[u8]) -> Cow<'_, str> {
    let text = match lossy(text) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_string()),
    };
    if !text.contains('\n') {
        return text;
    }
    let lines =
        text.split('\n').map(|line| line.trim().trim_start_matches("> ").trim_start_matches('>').trim());
    Cow::Owned(lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
}

/// Returns where the message that holds `at` starts: after a line break, a sentence mark, a colon or an
/// opening quote.
pub(super) fn message_start(text: &[u8], at: usize) -> usize {
    let mut i = at;
    while i > 0 {
        let before = text[i - 1];
        let blank = text.get(i).is_none_or(|byte| byte.is_ascii_whitespace() || i == at);
        let mark =
            matches!(before, b'.' | b':' | b';' | b',' | b']' | b')' | b'}' | b'|' | b'=' | b'>' | b'-');
        if matches!(before, b'\n' | b'\t' | b'"' | b'\'' | b'`' | b'(' | b'[' | b'{') || mark && blank {
            break;
        }
        i -= 1;
    }
    while i < at && text[i].is_ascii_whitespace() {
        i += 1;
    }
    i
}

/// Whether the message ends at `at`: only blanks are left before a line break, a closing quote or the end of
/// the text.
pub(super) fn is_message_end(text: &[u8], at: usize) -> bool {
    let rest = text[at..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\'' | b'`'));
    matches!(rest, None | Some(b'\n' | b'"' | b'<' | b'}' | b']' | b'|' | b'('))
}

/// Returns the first end of a message after `from`.
pub(super) fn first_message_end(text: &[u8], from: usize) -> Option<usize> {
    let limit = text.len().min(from + MAX_ARGUMENT);
    let skip = opening_quote(text, from).map_or(from, |(_, after)| after);
    let end =
        (skip..limit).find(|&i| matches!(text[i], b'\n' | b'"' | b'<' | b'(') || is_sentence_end(text, i));
    end.or((limit == text.len()).then_some(limit))
}

fn is_sentence_end(text: &[u8], i: usize) -> bool {
    matches!(text[i], b'.' | b'!' | b'?') && text.get(i + 1).is_none_or(u8::is_ascii_whitespace)
}
