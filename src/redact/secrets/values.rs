//! Values: where the value of a secret ends, as its container has it.
//!
//! A text, a name and the start of its value come in; the range of the value goes out. Which names are secret is not
//! known here.
//!
//! | container | example | the value ends at |
//! |---|---|---|
//! | quotes | `password='hun ter'`, `"password": "x"` | the same quote of the same depth, if it is not doubled or escaped |
//! | shell | `PGPASSWORD=x"y z" psql` | a blank that is not quoted |
//! | connection string of libpq | `host=a password=x,;y user=b` | a blank |
//! | of .NET, ODBC, storage accounts | `Server=a;Password=hun ter,x;Ssl=1` | `;`, or the quote or brace around the string |
//! | URI query | `?sig=x&se=y` | `&` or a blank |
//! | URI user | `postgres://user:x@host` | the last `@` before the path's parameters |
//! | YAML, headers, prose | `password: hun ter, x` | the end of the line |
//! | JSON or YAML in braces, without quotes | `{password: x, user: y}` | `,` or the closing bracket |
//! | XML | `<password>x</password>` | `<` |
//! | table | `password \| x` | the next bar or the end of the line |
//!
//! All of these also end at the quote that closes the string around name and value. A quote that is opened and never
//! closed, and every doubt, ends at the end of the line.

use super::{MASK, Text, starts_with_number};
use std::ops::Range;

/// How far back the string around a name is looked for, in bytes.
const MAX_STRING: usize = 4 << 10;
/// The most bytes of a value that may have line breaks: one between quotes.
const MAX_VALUE: usize = 4 << 10;

/// What separates a value from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// `=`, or `:=`.
    Equals,
    /// ` = `.
    SpacedEquals,
    /// `%3D`: an `=` of a URI in a URI.
    Encoded,
    /// `: ` or ` => ` after a bare name.
    Colon,
    /// `:` without a blank after a bare name.
    GluedColon,
    /// `:` or `=>` after a name in quotes.
    Key,
    /// `>` of a tag.
    Tag,
    /// A bar of a table.
    Cell,
    /// Blanks: the argument of a flag or of a keyword of SQL.
    Argument,
}

/// Where a value starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    /// The index of its first byte.
    pub(super) at: usize,
    /// What is before it.
    pub(super) separator: Separator,
}

/// Returns the range of the value of `name`; empty if there is none.
pub(super) fn range(text: &Text<'_>, name: &Range<usize>, value: Value) -> Range<usize> {
    let Value { at, separator } = value;
    let line_end = text.line_end(at);
    let rest = &text.bytes[at..line_end];
    let is_empty = match separator {
        Separator::Key => matches!(rest, [] | [b',' | b'}' | b']', ..]),
        Separator::Equals => rest.is_empty() || rest[0] == b';' && in_fields(text, name, at, line_end),
        _ => rest.is_empty(),
    };
    if is_empty || is_literal(rest) {
        return at..at;
    }
    if separator == Separator::Tag {
        let until = |end: &[u8]| memchr::memmem::find(&text.bytes[at..], end);
        let end =
            if rest.starts_with(b"<![CDATA[") { until(b"]]>") } else { until(b"</").or_else(|| until(b"<")) };
        return at..end.map_or(line_end, |end| at + end.min(MAX_VALUE));
    }
    if let Some(end) = quoted_end(text, at, line_end, separator) {
        return at..end;
    }
    let limit = string_end(text, name.start, at).unwrap_or(line_end);
    at..trimmed(text, at, bare_end(text, name, value, limit.min(line_end)))
}

/// Whether a value is a word of its format, or masked, instead of a secret.
fn is_literal(rest: &[u8]) -> bool {
    let literals = ["null", "None", "nil", "true", "false", "True", "False", MASK];
    literals.iter().any(|word| {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b",;&}])<>|/\"'`".contains(byte);
        rest.strip_prefix(word.as_bytes()).is_some_and(|after| {
            let numbered = *word == MASK && starts_with_number(after);
            after.get(if numbered { 4 } else { 0 }).is_none_or(ends)
        })
    })
}

/// Without blanks at the end.
fn trimmed(text: &Text<'_>, from: usize, end: usize) -> usize {
    from + text.bytes[from..end].trim_ascii_end().len()
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Where a value that starts with a quote ends, quotes included; none if it does not start with one.
fn quoted_end(text: &Text<'_>, at: usize, line_end: usize, separator: Separator) -> Option<usize> {
    let bytes = text.bytes;
    if separator == Separator::Equals && bytes[at] == b'{' {
        // ODBC: `PWD={a;b}}c}`.
        let mut from = at + 1;
        while let Some(close) = memchr::memchr(b'}', &bytes[from..line_end]) {
            from += close + 1;
            if text.at(from) != Some(b'}') {
                return Some(from);
            }
            from += 1;
        }
        return Some(line_end);
    }
    if bytes[at] == b'[' {
        // A list: each item is a value.
        return Some(memchr::memchr(b']', &bytes[at..line_end]).map_or(line_end, |end| at + end + 1));
    }
    if bytes[at] == b'$' && separator == Separator::Argument {
        let tag = memchr::memchr(b'$', &bytes[at + 1..line_end])? + 2;
        let close = memchr::memmem::find(&bytes[at + tag..], &bytes[at..at + tag])?;
        return Some(at + tag + close + tag);
    }
    let open = at + bytes[at..line_end].iter().take_while(|byte| **byte == b'\\').count();
    let quote = text.at(open).filter(|byte| is_quote(*byte))?;
    if is_closing_of_string(text, at, quote, open) {
        return Some(at);
    }
    // A doubled quote that was made one, with nothing in it.
    let ends = bytes.get(open + 1).is_none_or(|byte| matches!(byte, b' ' | b',' | b'}'));
    let doubled = (text.raw_len)(open) == 2 && ends && closing(text, open, line_end - open).is_none();
    if doubled {
        return Some(open + 1);
    }
    let first = closing(text, open, MAX_VALUE).map_or(line_end, |close| close + 1);
    // `''\''s'`: an empty string, taken for a doubled quote.
    let empty = (text.raw_len)(open) == 2 && bytes[open..].starts_with(b"'\\'");
    let mut end = if empty { open + 1 } else { first };
    // In a shell, what follows a quote without a blank belongs to the word: `'it'\''s'`.
    while let Some(byte) = text.at(end).filter(|byte| is_quote(*byte) || *byte == b'\\') {
        let next = if byte == b'\\' { end + 1 } else { end };
        let Some(quote) = text.at(next).filter(|byte| is_quote(*byte)) else { break };
        if is_closing_of_string(text, at, quote, next) {
            break;
        }
        end = match byte {
            // The next quote was taken for a doubled one and is part of this one: `'it'\''s'`.
            b'\\' if (text.raw_len)(next) == 2 => {
                let close = memchr::memchr(quote, &text.bytes[next + 1..line_end]);
                close.map_or(line_end, |close| next + 1 + close + 1)
            }
            b'\\' => next + 1,
            _ => closing(text, next, MAX_VALUE).map_or(line_end, |close| close + 1),
        };
    }
    Some(end)
}

/// Whether the quote at `quote_at` closes the string that the value at `at` is in.
fn is_closing_of_string(text: &Text<'_>, at: usize, quote: u8, quote_at: usize) -> bool {
    opening(text, at).is_some_and(|open| {
        text.bytes[open] == quote && text.depth(open) == text.depth(quote_at) && open < at
    })
}

/// Where the quote at `open` is closed. A quote after a doubled one, or in the middle of a word, is in doubt: `'it'\''s'`
/// has both, and escapes in it may have been undone. So it is of the value.
fn closing(text: &Text<'_>, open: usize, reach: usize) -> Option<usize> {
    let doubtful = |at: usize| {
        let after_doubled =
            text.bytes[at - 1] == text.bytes[at] && (text.raw_len)(at - 1) > 1 && at - 1 > open;
        after_doubled || text.at(at + 1).is_some_and(|byte| byte.is_ascii_alphanumeric())
    };
    matching(text, open, reach).find(|at| !doubtful(*at))
}

/// The quotes after the one at `open` that may close it: the same, of the same depth.
fn matching(text: &Text<'_>, open: usize, reach: usize) -> impl Iterator<Item = usize> {
    let (quote, depth) = (text.bytes[open], text.depth(open));
    let end = text.bytes.len().min(open + 1 + reach);
    let plain = depth.is_power_of_two() && (text.raw_len)(open) == 1;
    let quotes = memchr::memchr_iter(quote, &text.bytes[open + 1..end]).map(move |at| open + 1 + at);
    quotes.filter(move |at| {
        let own = text.depth(*at);
        // Backslashes in pairs are backslashes of the value.
        let paired =
            plain && (text.raw_len)(*at) == 1 && own > depth && (own - depth).is_multiple_of(2 * depth);
        own == depth || paired
    })
}

/// The quote that opens the string around `at` on its line: the nearest one before it that looks like one that opens, and
/// is not closed before `at`.
fn opening(text: &Text<'_>, at: usize) -> Option<usize> {
    let from = text.line_start(at).max(at.saturating_sub(MAX_STRING));
    let mut closed: Vec<(u8, usize)> = Vec::new();
    for i in (from..at).rev() {
        let quote = text.bytes[i];
        if !is_quote(quote) {
            continue;
        }
        let depth = text.depth(i);
        let before = text.bytes[from..i].iter().rev().find(|byte| **byte != b'\\');
        let opens = before.is_none_or(|byte| {
            matches!(byte, b' ' | b'\t' | b':' | b'=' | b'(' | b'[' | b'{' | b',' | b'>' | b'<' | b'|' | b';')
        });
        if let Some(known) = closed.iter().position(|known| *known == (quote, depth)) {
            if opens {
                closed.remove(known);
            }
            continue;
        }
        if opens {
            return Some(i);
        }
        // An apostrophe inside of a word is none of them.
        let after = text.at(i + 1);
        if !(quote == b'\''
            && before.is_some_and(u8::is_ascii_alphanumeric)
            && after.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        {
            closed.push((quote, depth));
        }
    }
    None
}

/// Where the string around the name at `name` is closed after `at`; none if there is no such string.
fn string_end(text: &Text<'_>, name: usize, at: usize) -> Option<usize> {
    let open = opening(text, name)?;
    let (quote, depth) = (text.bytes[open], text.depth(open));
    // The name itself may be in quotes.
    let end = text.line_end(at);
    let quotes = memchr::memchr_iter(quote, &text.bytes[at..end]).map(|i| at + i);
    let close = quotes.into_iter().find(|i| text.depth(*i) == depth)?;
    // The backslashes of its escape are not of the value.
    Some(close - (text.depth(close) - (text.raw_len)(close)))
}

/// Where a value without quotes ends, at most at `limit`.
fn bare_end(text: &Text<'_>, name: &Range<usize>, value: Value, limit: usize) -> usize {
    let (bytes, at) = (text.bytes, value.at);
    let line_start = text.line_start(name.start);
    let before = bytes[line_start..name.start].trim_ascii_end();
    let last = before.last().copied();
    let position = |is_end: &dyn Fn(u8) -> bool| {
        bytes[at..limit].iter().position(|byte| is_end(*byte)).map_or(limit, |i| at + i)
    };
    match value.separator {
        Separator::Equals if matches!(bytes[..name.start].last(), Some(b'?' | b'&')) => {
            position(&|byte| byte == b'&' || byte.is_ascii_whitespace())
        }
        Separator::Equals if in_fields(text, name, at, limit) => {
            // The brace around the fields, not that of a document around the string.
            let from = opening(text, name.start).map_or(line_start, |open| open.max(line_start));
            let inside = &bytes[from..name.start];
            let brace = inside.contains(&b'{') && !inside.contains(&b'}');
            position(&|byte| byte == b';' || brace && byte == b'}')
        }
        Separator::Equals | Separator::Argument | Separator::GluedColon => shell_end(text, at, limit),
        Separator::Encoded => {
            let is_end = |i: &usize| bytes[*i..limit].starts_with(b"%26") || matches!(bytes[*i], b'&' | b' ');
            (at..limit).find(is_end).unwrap_or(limit)
        }
        Separator::SpacedEquals if starts_line(before) => limit,
        Separator::SpacedEquals => next_setting(bytes, at, limit),
        Separator::Key => position(&|byte| matches!(byte, b',' | b'}' | b']')),
        Separator::Cell => position(&|byte| byte == b'|'),
        Separator::Tag => position(&|byte| byte == b'<'),
        Separator::Colon if matches!(last, Some(b'{' | b',')) && before.contains(&b'{') => {
            position(&|byte| matches!(byte, b',' | b'}'))
        }
        Separator::Colon => limit,
    }
}

/// Whether only blanks and marks of lists or quoting are before the name on its line.
fn starts_line(before: &[u8]) -> bool {
    before.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'-' | b'>' | b'#' | b'|' | b'"' | b'\'' | b'*'))
        || [&b"export"[..], b"set", b"ENV", b"env"].iter().any(|word| before.ends_with(word))
}

/// Whether name and value are fields that `;` separates: one before the name, or another field after a `;`.
fn in_fields(text: &Text<'_>, name: &Range<usize>, at: usize, limit: usize) -> bool {
    let bytes = text.bytes;
    let line_start = text.line_start(name.start);
    // The name may have blanks: `Account Key`.
    let before =
        bytes[line_start..name.start].iter().rev().find(|byte| !byte.is_ascii_alphabetic() && **byte != b' ');
    if before == Some(&b';') {
        return true;
    }
    // After another field of libpq: `host=a password=x;y user=b`.
    let word = bytes[line_start..name.start].trim_ascii_end();
    let word = word.rsplit(|byte| byte.is_ascii_whitespace() || is_quote(*byte)).next().unwrap_or_default();
    if bytes[..name.start].ends_with(b" ") && word.contains(&b'=') {
        return false;
    }
    memchr::memchr_iter(b';', &bytes[at..limit]).any(|i| {
        let field = bytes[at + i + 1..limit].trim_ascii_start();
        let name = field
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'.'))
            .count();
        name > 0
            && field[0].is_ascii_alphabetic()
            && field.get(name) == Some(&b'=')
            && !field[..name].trim_ascii_end().contains(&b'.')
    })
}

/// Where a word of a shell ends: at a blank that is neither in quotes nor escaped.
fn shell_end(text: &Text<'_>, from: usize, limit: usize) -> usize {
    let mut at = from;
    while at < limit {
        match text.bytes[at] {
            // A blank with backslashes that were undone: one, or one that was escaped itself. `\u0020` is no such one.
            b' ' if matches!((text.raw_len)(at), 2 | 3 | 5 | 7..) => at += 1,
            byte if byte.is_ascii_whitespace() => break,
            b'\\' => at += 2,
            byte if is_quote(byte) => {
                let close = matching(text, at, limit - at).find(|close| *close < limit);
                at = close.map_or(at, |close| close) + 1;
            }
            _ => at += 1,
        }
    }
    at.min(limit)
}

/// Where another setting starts after `from`: a blank, a name and ` = `. Else `limit`.
fn next_setting(bytes: &[u8], from: usize, limit: usize) -> usize {
    let is_setting = |at: &usize| {
        let name = bytes[at + 1..limit]
            .iter()
            .take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_')
            .count();
        name > 1 && bytes[at + 1 + name..limit].starts_with(b" = ")
    };
    let mut blanks = memchr::memchr_iter(b' ', &bytes[from..limit]).map(|at| from + at);
    blanks.find(is_setting).unwrap_or(limit)
}

/// Passwords of URIs: `scheme://user:x@host`.
pub(super) fn in_uris(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    let bytes = text.bytes;
    for mark in memchr::memmem::find_iter(bytes, b"://") {
        let start = mark + "://".len();
        let line_end = text.line_end(start);
        let limit = string_end(text, mark, start).unwrap_or(line_end);
        let blank =
            bytes[start..limit].iter().position(u8::is_ascii_whitespace).map_or(limit, |at| start + at);
        let run = &bytes[start..blank];
        let Some(first) = memchr::memchr(b'@', run) else { continue };
        let end = memchr::memchr(b'?', &run[first..]).map_or(run.len(), |at| first + at);
        let Some(last) = memchr::memrchr(b'@', &run[..end]) else { continue };
        let user = &run[..last];
        match memchr::memchr(b':', user) {
            // A port and a path before an `@` further on: `http://host:80/a@b`.
            Some(colon) if !user[..colon].contains(&b'/') && !is_port(&user[colon + 1..]) => {
                found.push(start + colon + 1..start + last);
            }
            // `https://token@host`: a user is a name, a token is long.
            None if user.len() >= 20 && !user.contains(&b'/') => found.push(start..start + last),
            _ => {}
        }
    }
}

/// Whether a text starts with a port and a path.
fn is_port(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=5).contains(&digits) && text.get(digits) == Some(&b'/')
}

/// Words before `:` and an address of mail that are labels, not users.
const LABELS: [&str; 22] = [
    "account",
    "as",
    "by",
    "cc",
    "contact",
    "email",
    "for",
    "from",
    "login",
    "mail",
    "mailto",
    "member",
    "name",
    "owner",
    "principal",
    "role",
    "to",
    "upn",
    "user",
    "username",
    "identity",
    "subject",
];
/// The fewest characters of a token before a host.
const MIN_TOKEN: usize = 8;

/// The token before the host after the `@` at `at`, without a scheme: `user:token@host.example`.
pub(super) fn before_host(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let is_word = |byte: &u8| byte.is_ascii_graphic() && !b"\"'<>(),;=/".contains(byte);
    let run = bytes[..at].iter().rev().take(256).take_while(|byte| is_word(byte)).count();
    let run = at - run..at;
    let colon = memchr::memchr(b':', &bytes[run.clone()]).map(|colon| run.start + colon)?;
    let (user, token) = (&bytes[run.start..colon], &bytes[colon + 1..at]);
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let host = bytes[at + 1..].iter().take(256).take_while(|byte| is_host(byte)).count();
    let host = &bytes[at + 1..at + 1 + host];
    let label = |label: &&str| user.eq_ignore_ascii_case(label.as_bytes());
    let mixed = token.iter().any(u8::is_ascii_digit) && token.iter().any(u8::is_ascii_alphabetic);
    let is_token = user.iter().any(u8::is_ascii_alphabetic)
        && token.len() >= MIN_TOKEN
        && mixed
        && !token.contains(&b':')
        && host.contains(&b'.')
        && host.last().is_some_and(u8::is_ascii_alphanumeric)
        && !LABELS.iter().any(label);
    is_token.then_some(colon + 1..at)
}

/// The secret of an application in Microsoft Entra whose `~` is at `at`: `abc8Q~` and 31 to 34 more characters.
pub(super) fn application_secret(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let start = at.checked_sub(5)?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~' | b'.' | b'-');
    let head = &bytes[start..at];
    let rest = bytes[at + 1..].iter().take(34).take_while(|byte| is_part(byte)).count();
    let fits = head[..3].iter().all(is_part) && head[3].is_ascii_digit() && head[4] == b'Q' && rest >= 31;
    fits.then_some(start..at + 1 + rest)
}

/// The password of a line of a password file whose port is after the colon at `host_end`: `host:port:database:user:x`.
pub(super) fn after_port(text: &Text<'_>, host_end: usize) -> Option<Range<usize>> {
    let bytes = text.bytes;
    let port = bytes[host_end + 1..]
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'*')
        .count();
    let is_port = text.at(host_end + 1) == Some(b'*') && port == 1 || (4..=5).contains(&port);
    if !is_port || text.at(host_end + 1 + port) != Some(b':') {
        return None;
    }
    let host = bytes[..host_end]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'*' | b'/'))
        .count();
    if host == 0 {
        return None;
    }
    let mut from = host_end + 1 + port + 1;
    let line_end = text.line_end(from);
    for _ in ["database", "user"] {
        let field = memchr::memchr(b':', &bytes[from..line_end])?;
        if field == 0
            || bytes[from..from + field].iter().any(|byte| byte.is_ascii_whitespace() || is_quote(*byte))
        {
            return None;
        }
        from += field + 1;
    }
    let end = string_end(text, host_end - host, from).unwrap_or(line_end).min(line_end);
    let starts = text.at(from).is_some_and(|byte| !byte.is_ascii_whitespace());
    starts.then_some(from..end)
}
