//! Named secrets: a name such as `password`, a separator, and the value.
//!
//! A text comes in; the ranges of the values go out. Which words name a secret and what may be between a name and its
//! value is decided here, where the value ends in [`values`].
//!
//! The name is a whole identifier: `sourceServerPassword`, `PGPASSWORD`, `db.password`, `Account Key`. It is split into
//! words, because `password_encryption` names a method and `bypass` nothing that is secret.

use super::Text;
use super::values::{self, Separator, Value};
use crate::text::pattern;
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// Every name of a secret holds one of these. Each starts with three bytes that other words rarely have.
pub(super) const MARKS: &[&str] =
    &["pass", "pwd", "ecret", "edent", "token", "key", "sig", "sas", "auth", "ntified"];

/// The words of names, and the letters and digits after them.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i-u)(?:pass|pwd|secret|credent|token|key|sig|sas|auth|identified\s+by)[a-z0-9_.$-]{0,64}")
});

/// Words that name a secret, alone or in a longer word (`PGPASSWORD`).
const SECRETS: [&str; 9] =
    ["password", "passwd", "passphrase", "passcode", "passwort", "pwd", "secret", "credential", "token"];
/// Words after such a word that make it something about a secret.
const ABOUT: [&str; 33] = [
    "age",
    "auth",
    "authentication",
    "changed",
    "check",
    "count",
    "created",
    "disabled",
    "enabled",
    "encryption",
    "expiration",
    "expired",
    "expires",
    "expiry",
    "file",
    "history",
    "length",
    "limit",
    "method",
    "mode",
    "name",
    "path",
    "policy",
    "protection",
    "provider",
    "required",
    "reset",
    "rotation",
    "state",
    "status",
    "type",
    "uri",
    "version",
];
/// Words that end with `pass` and name no secret.
const NO_PASS: [&str; 6] = ["bypass", "compass", "surpass", "trespass", "encompass", "overpass"];
/// Words before `key` that make it a secret.
const KEY_OWNERS: [&str; 18] = [
    "access",
    "account",
    "api",
    "app",
    "auth",
    "client",
    "encryption",
    "function",
    "host",
    "instrumentation",
    "license",
    "master",
    "private",
    "secret",
    "shared",
    "signing",
    "storage",
    "subscription",
];
/// The same, but only without a blank between them: a primary key is also a thing of databases.
const GLUED_KEY_OWNERS: [&str; 2] = ["primary", "secondary"];
/// The fewest characters of a value that is a secret after a name such as `key`: 32 bytes in base64.
const MIN_KEY: usize = 43;
/// The longest gap between a name and the key that holds its value, as in `"name":"PGPASSWORD","value":"x"`.
const MAX_GAP: usize = 64;

/// How certain a name is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    /// It names a secret.
    Secret,
    /// What it names is a secret if it looks like a key.
    Perhaps,
}

/// Appends the ranges of all values of named secrets.
pub(super) fn find(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    let mut done = 0;
    for word in WORDS.find_iter(text.bytes) {
        let name = identifier(text.bytes, word.range());
        if name.start < done && name.end <= done {
            continue;
        }
        done = name.end;
        let Some(certainty) = certainty(text.bytes, &name) else { continue };
        if let Some(value) = value_after(text, &name) {
            let value = values::range(text, &name, value);
            if certainty == Certainty::Secret || looks_like_a_key(&text.bytes[value.clone()]) {
                found.push(value);
            }
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'$')
}

/// The identifier around a word.
fn identifier(text: &[u8], word: Range<usize>) -> Range<usize> {
    let before = text[..word.start].iter().rev().take(64).take_while(|byte| is_name_byte(**byte)).count();
    let mut start = word.start - before;
    // The hyphens of a flag and the marks of a list are no part of it.
    while matches!(text.get(start), Some(b'-' | b'.' | b'$')) && start < word.start {
        start += 1;
    }
    let mut end = word.end;
    while end > start && matches!(text[end - 1], b'-' | b'.') {
        end -= 1;
    }
    start..end
}

/// Whether an identifier names a secret.
fn certainty(text: &[u8], name: &Range<usize>) -> Option<Certainty> {
    let words = words(&text[name.clone()]);
    let last = words.last()?.as_str();
    if last.starts_with("identified") || last == "by" {
        return Some(Certainty::Secret);
    }
    let known = |word: &str| SECRETS.iter().any(|secret| word.contains(secret));
    if let Some(at) = words.iter().rposition(|word| known(word)) {
        let about = words[at + 1..].iter().any(|word| ABOUT.contains(&word.as_str()));
        return (!about).then_some(Certainty::Secret);
    }
    let joined = words.concat();
    if SECRETS.iter().any(|secret| joined.ends_with(secret)) {
        return Some(Certainty::Secret);
    }
    if last.ends_with("pass") {
        return (!NO_PASS.iter().any(|word| last.ends_with(word))).then_some(Certainty::Secret);
    }
    if last.starts_with("key") && last.len() <= "key".len() + 2 || last.ends_with("key") {
        let glued = |owner: &&&str| {
            joined[..joined.len() - last.len()].ends_with(**owner)
                || last.strip_suffix("key").is_some_and(|before| before.ends_with(**owner))
        };
        if KEY_OWNERS.iter().chain(&GLUED_KEY_OWNERS).any(|owner| glued(&owner)) {
            return Some(Certainty::Secret);
        }
        let before = text[..name.start].strip_suffix(b" ").unwrap_or_default();
        let ends = |owner: &&str| {
            before.len() >= owner.len()
                && before[before.len() - owner.len()..].eq_ignore_ascii_case(owner.as_bytes())
        };
        let owned = words.len() == 1 && KEY_OWNERS.iter().any(ends);
        return Some(if owned { Certainty::Secret } else { Certainty::Perhaps });
    }
    let exact = ["sas", "sig", "pat", "authorization", "sharedaccesssignature", "accesssignature", "auth"];
    if exact.contains(&joined.as_str()) || joined.ends_with("sas") && words.len() > 1 {
        return Some(Certainty::Secret);
    }
    let signature = joined == "signature" && text[..name.start].to_ascii_lowercase().ends_with(b"access ");
    if signature || joined.ends_with("accesssignature") {
        return Some(Certainty::Secret);
    }
    let key_like = ["key", "signature", "auth"].iter().any(|word| joined.contains(word));
    key_like.then_some(Certainty::Perhaps)
}

/// The words of an identifier, in lower case: `dbPassword_2` is `db`, `password`, `2`.
fn words(name: &[u8]) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut last = b'_';
    for (i, byte) in name.iter().copied().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            words.push(String::new());
        } else {
            let camel = byte.is_ascii_uppercase()
                && (last.is_ascii_lowercase()
                    || last.is_ascii_uppercase() && name.get(i + 1).is_some_and(u8::is_ascii_lowercase));
            if camel {
                words.push(String::new());
            }
            words.last_mut().expect("there is one").push(char::from(byte.to_ascii_lowercase()));
        }
        last = byte;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value is a key in base64 or hexadecimal digits.
fn looks_like_a_key(value: &[u8]) -> bool {
    let inner = value.trim_ascii();
    let inner = inner.strip_prefix(b"\"").or(inner.strip_prefix(b"'")).unwrap_or(inner);
    let len = inner
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'='))
        .count();
    // Not a path, a name of a server or a number.
    let digits = &inner[..len];
    len >= MIN_KEY
        && digits.iter().any(u8::is_ascii_digit)
        && digits.iter().any(u8::is_ascii_alphabetic)
        && digits.iter().filter(|byte| **byte == b'-').count() < 4
}

/// Where the values after a name start, and what separates them from it.
fn value_after(text: &Text<'_>, name: &Range<usize>) -> Option<Value> {
    let bytes = text.bytes;
    let flag = bytes[..name.start].ends_with(b"-");
    let mut at = name.end;
    // `<password>x</password>`, `<Password xsi:type="string">x`.
    let opened =
        bytes[..name.start].iter().rev().take(32).find(|byte| !is_name_byte(**byte) && **byte != b':');
    if opened == Some(&b'<') {
        let tag = memchr::memchr(b'>', bytes.get(at..text.line_end(at))?)?;
        if bytes[at..at + tag].iter().all(|byte| *byte != b'<') && !bytes[..at + tag].ends_with(b"/") {
            return Some(Value { at: at + tag + 1, separator: Separator::Tag });
        }
    }
    // The quotes or brackets around the name.
    let mut quoted = false;
    while let Some(byte @ (b'"' | b'\'' | b'`' | b']' | b'\\')) = text.at(at) {
        quoted |= byte != b'\\';
        at += 1;
    }
    let after_name = at;
    at = blanks(bytes, at);
    let separator = match &bytes[at..] {
        [b'=', b'>', ..] => Some((2, Separator::Colon)),
        [b':', b'=', ..] | [b'=', b'=', ..] => Some((2, Separator::Equals)),
        [b'=', ..] => Some((1, Separator::Equals)),
        [b':', b':', ..] => None,
        [b':', ..] => Some((1, Separator::Colon)),
        [b'%', b'3', b'D' | b'd', ..] => Some((3, Separator::Encoded)),
        [b'|', ..] if at > after_name => Some((1, Separator::Cell)),
        _ => None,
    };
    if let Some((len, separator)) = separator {
        let spaced = at > after_name;
        let start = at + len;
        let value = blanks(bytes, start);
        // `password = x` is a line of a file of settings.
        let separator = match separator {
            Separator::Equals if spaced && value > start => Separator::SpacedEquals,
            Separator::Colon if quoted => Separator::Key,
            Separator::Colon if value == start && bytes[at] == b':' => Separator::GluedColon,
            separator => separator,
        };
        return Some(Value { at: value, separator });
    }
    // `{"name":"PGPASSWORD","value":"x"}`, `name: PGPASSWORD` and `value: x` on the next line, `key="Password" value="x"`.
    static VALUE_KEY: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"(?i-u)\A\s*,?\s*(?:\\*["'])?value(?:\\*["'])?\s*(?P<s>[:=])\s*"#));
    let gap = &bytes[after_name..bytes.len().min(after_name + MAX_GAP)];
    if let Some(key) = VALUE_KEY.captures(gap) {
        let separator = match (&key["s"], quoted) {
            (b"=", _) => Separator::Equals,
            (_, true) => Separator::Key,
            _ => Separator::Colon,
        };
        return Some(Value { at: after_name + key.get(0)?.end(), separator });
    }
    // `PASSWORD 'x'` and `IDENTIFIED BY 'x'` of SQL, `--password x` and `"--password", "x"` of a command.
    if at > after_name && !quoted {
        let is_quote = |at: usize| matches!(text.at(at), Some(b'\'' | b'"'));
        let escaped = |at: usize| {
            let e = matches!(text.at(at), Some(b'e' | b'E' | b'n' | b'N'));
            if e && is_quote(at + 1) { at + 1 } else { at }
        };
        let at = escaped(at);
        if is_quote(at)
            || bytes[at..].starts_with(b"$") && bytes[at + 1..].iter().take(32).any(|byte| *byte == b'$')
        {
            return Some(Value { at, separator: Separator::Argument });
        }
    }
    if flag && at > after_name {
        // The next flag is no value.
        let is_flag = match &bytes[at..] {
            [b'-', b'-', ..] => true,
            [b'-', _, rest @ ..] => rest.first().is_none_or(u8::is_ascii_whitespace),
            _ => false,
        };
        return (!is_flag).then_some(Value { at, separator: Separator::Argument });
    }
    if flag && quoted && text.at(at) == Some(b',') {
        let at = blanks(bytes, at + 1);
        return matches!(text.at(at), Some(b'"' | b'\'')).then_some(Value { at, separator: Separator::Key });
    }
    None
}

/// Where the blanks from `at` on end.
fn blanks(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
