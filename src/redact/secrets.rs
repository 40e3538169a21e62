//! Secrets: passwords and keys in text, recognized by the words before them or by their form.
//!
//! Text comes in, the same text goes out with [`MASK`] for each secret. The result is shown to others, so that in doubt
//! it masks: a word after `password:` is one, whatever it is. The module knows nothing of the catalogue and needs no key.
//!
//! # Marks first, patterns after
//!
//! Thirteen regular expressions would run over every line that a report may show, and nearly none has a secret. So each
//! kind of secret has *marks*: literals of which every text with such a secret holds at least one (`pass` or `pwd` or …
//! before a value, `://` before a user, `eyj` at the start of a JSON token). One pass of an Aho-Corasick automaton finds
//! the marks of all kinds and returns a bit for each kind that may occur; a second condition, one of two bytes that a
//! secret of the kind needs (`:` or `=` after a name), drops most of what is left. Only then is a pattern compiled, on
//! its first use, and tried:
//!
//! ```text
//! 2024-06-06 LOG: connection received          no mark: returned as it is, nothing allocated
//! the password for server x is incorrect       mark "pass", but neither `:` nor `=`, no quote: returned as it is
//! host=a password=hunter2                      mark "pass" and `=`: the first pattern masks `hunter2`
//! ```
//!
//! The invariant: marks save time and hide nothing. Trying every pattern on every text masks the same, which the
//! property test `every_secret_has_a_mark` holds. Whoever adds a kind adds an example, and the test finds a mark that
//! is too narrow. A mask itself has no mark, so that masked text can be masked again.

use crate::text::pattern;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// The text in place of a secret.
pub const MASK: &str = "***";
/// The fewest base64 digits on a line of their own that may be a line of a key in PEM.
const MIN_KEY_LINE: usize = 60;

/// A kind of secret.
struct Secret {
    /// Every text with such a secret holds one of these, in upper or lower case.
    marks: &'static [&'static str],
    /// Every text with such a secret also holds one of these bytes.
    bytes: Option<[u8; 2]>,
    /// Matches the secret with the text before it that is kept as the group `a`, and after it as `b`. Compiling one takes
    /// milliseconds, and most logs need few of them, so each is compiled on its first use.
    pattern: LazyLock<Regex>,
}

impl Secret {
    const fn new(marks: &'static [&'static str], bytes: Option<[u8; 2]>, pattern: fn() -> Regex) -> Secret {
        Secret { marks, bytes, pattern: LazyLock::new(pattern) }
    }
}

/// A value: in quotes that may be escaped, or up to a blank or punctuation.
const VALUE: &str = r#"(?:\\*"(?:[^"\\]|\\[^"])*\\*"|\\*'(?:[^'\\]|''|\\[^'])*\\*'|[^\s"'\\,;&<>()\[\]{}]+)"#;

/// Names of passwords and keys before their values.
const PASSWORD_NAMES: &str = "(?:(?:pass(?:word|wd|phrase|code)|pwd|secret|credentials?|token)[a-z0-9_]{0,24}\
                     |(?:access|account|api|private|shared|storage|encryption|signing)[ _-]?key[a-z0-9_]{0,24}\
                     |(?:primary|secondary|master)_?key|shared[ _-]?access[ _-]?signature|(?:\\b|_)(?:pass|sas))";

static SECRETS: [Secret; 13] = [
    // `password=x`, `"adminPassword": "x"`, `AccountKey=x`, `PGPASSWORD=x`, `--password=x`.
    Secret::new(
        &["pass", "pwd", "secret", "credential", "token", "key", "signature", "sas"],
        Some(*b":="),
        || pattern(&format!(r#"(?P<a>(?i-u:{PASSWORD_NAMES})\\*["']?\s*(?:=>|:=|[:=])\s*){VALUE}"#)),
    ),
    // `PASSWORD 'x'` and `IDENTIFIED BY 'x'` of SQL, `--password x` of a command.
    Secret::new(&["password", "identified"], Some(*b"'\""), || {
        pattern(r#"(?P<a>\b(?i-u:password|identified by)\s+(?i-u:e)?)\\*(?:'(?:[^']|'')*'|"[^"]*")"#)
    }),
    Secret::new(&["-pass", "-pwd", "-token", "-secret"], None, || {
        pattern(r#"(?P<a>--?(?i-u:password|passwd|pwd|token|secret)\s+)[^\s"'-]\S*"#)
    }),
    // `scheme://user:x@host`.
    Secret::new(&["://"], Some(*b"@@"), || {
        pattern(r#"(?P<a>(?i-u:[a-z][a-z0-9+.-]*)://[^\s:/@"'<>]*:)[^\s"'<>]+(?P<b>@)"#)
    }),
    Secret::new(&["authorization"], Some(*b":="), || {
        pattern(r#"(?P<a>(?i-u:authorization)\\*["']?\s*[:=]\s*\\*["']?(?:(?i-u:[a-z]+)\s+)?)[^\s"'\\,]+"#)
    }),
    Secret::new(&["bearer"], None, || pattern(r"(?P<a>\b(?i-u:bearer)\s+)[A-Za-z0-9._~+/=-]{16,}")),
    Secret::new(&["sig="], None, || pattern(r#"(?P<a>(?i-u:[?&;]sig=))[^&\s"'<>\\]+"#)),
    // A token of JSON, an access key, a hashed password of PostgreSQL, a key of 64 bytes.
    Secret::new(&["eyj"], None, || pattern(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")),
    Secret::new(&["akia", "asia"], None, || pattern(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    Secret::new(&["scram-sha-256$"], None, || pattern(r#"SCRAM-SHA-256\$[^\s"',\\]+"#)),
    Secret::new(&["md5"], None, || pattern(r"\bmd5[0-9a-f]{32}\b")),
    Secret::new(&["=="], None, || pattern(r"[A-Za-z0-9+/]{86}==")),
    Secret::new(&["private key-----"], None, || {
        pattern(
            r"(?P<a>-----BEGIN [A-Z ]*PRIVATE KEY-----)(?s:.)*?(?:(?P<b>-----END [A-Z ]*PRIVATE KEY-----)|\z)",
        )
    }),
];

/// The marks of all kinds, and for each mark its kind as a bit.
static MARKS: LazyLock<(AhoCorasick, Vec<u16>)> = LazyLock::new(|| {
    let kinds = SECRETS.iter().enumerate();
    let marks = kinds.flat_map(|(kind, secret)| secret.marks.iter().map(move |mark| (*mark, 1 << kind)));
    let (marks, kinds): (Vec<&str>, Vec<u16>) = marks.unzip();
    let mut marked = AhoCorasick::builder();
    marked.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA));
    (marked.build(marks).expect("a few short literals"), kinds)
});

/// Replaces each secret in `text` by [`MASK`].
pub fn mask(text: &str) -> Cow<'_, str> {
    if is_key_line(text) {
        return MASK.to_string().into();
    }
    mask_kinds(text, possible_kinds(text))
}

/// Returns the kinds of secrets that the text may hold, as bits.
fn possible_kinds(text: &str) -> u16 {
    let (marks, kinds) = &*MARKS;
    let marked = marks.find_overlapping_iter(text).fold(0, |all, mark| all | kinds[mark.pattern()]);
    let lacks = |[one, other]: [u8; 2]| memchr::memchr2(one, other, text.as_bytes()).is_none();
    let all = SECRETS.iter().enumerate().filter(|(kind, _)| marked >> kind & 1 != 0);
    all.filter(|(_, secret)| secret.bytes.is_some_and(lacks))
        .fold(marked, |left, (kind, _)| left & !(1 << kind))
}

/// Masks secrets of these kinds. A mask adds no mark, so that the kinds need not be computed again.
fn mask_kinds(text: &str, kinds: u16) -> Cow<'_, str> {
    let mut masked = Cow::Borrowed(text);
    for (_, secret) in SECRETS.iter().enumerate().filter(|(kind, _)| kinds >> kind & 1 != 0) {
        let replaced = secret.pattern.replace_all(&masked, |found: &Captures<'_>| {
            let kept = |name| found.name(name).map_or("", |kept| kept.as_str());
            format!("{}{MASK}{}", kept("a"), kept("b"))
        });
        if let Cow::Owned(replaced) = replaced {
            masked = replaced.into();
        }
    }
    masked
}

/// Masks in place. A text without secrets is not copied.
pub fn mask_in_place(text: &mut String) {
    if let Cow::Owned(masked) = mask(text) {
        *text = masked;
    }
}

/// Whether the line may be one of a key in PEM.
fn is_key_line(line: &str) -> bool {
    let line = line.trim();
    line.len() >= MIN_KEY_LINE
        && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        && line.bytes().any(|byte| byte.is_ascii_uppercase())
        && line.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use proptest::prelude::*;

    const EXAMPLES: &[(&str, &str)] = &[
        ("host=a password=hunter2 user=b", "host=a password=*** user=b"),
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"),
        (r#"{"sourceServerPassword": "hu,nt er2", "x": 1}"#, r#"{"sourceServerPassword": ***, "x": 1}"#),
        (r#"{\"password\":\"hunter2\",\"x\":1}"#, r#"{\"password\":***,\"x\":1}"#),
        ("ALTER ROLE mig PASSWORD 'it''s' VALID", "ALTER ROLE mig PASSWORD *** VALID"),
        ("psql --password hunter2 -d x", "psql --password *** -d x"),
        ("postgres://mig:hunt/er@2@src:5432/db", "postgres://mig:***@src:5432/db"),
        ("Authorization: Basic aHVudGVyMg==", "Authorization: Basic ***"),
        ("got Bearer abcdefghijklmnopqrst", "got Bearer ***"),
        ("https://x/y?sv=1&sig=ab%2Fc&se=2", "https://x/y?sv=1&sig=***&se=2"),
        ("AccountName=a;AccountKey=ab/c==;x", "AccountName=a;AccountKey=***;x"),
        ("t eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc_d", "t ***"),
        ("id AKIAIOSFODNN7EXAMPLE end", "id *** end"),
        ("id ASIAIOSFODNN7EXAMPLE end", "id *** end"),
        ("?SharedAccessSignature=ab%2Fc", "?SharedAccessSignature=***"),
        ("SCRAM-SHA-256$4096:abc$def:ghi", "***"),
        ("hash md5900150983cd24fb0d6963f7d28e17f72", "hash ***"),
        (
            "a\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb",
            "a\n-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nb",
        ),
        ("-----BEGIN PRIVATE KEY-----\nabc", "-----BEGIN PRIVATE KEY-----***"),
        ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "***"),
    ];

    #[test]
    fn secrets_are_masked_in_place() {
        for &(text, masked) in EXAMPLES {
            assert_eq!(mask(text), masked, "{text}");
            let mut own = text.to_string();
            mask_in_place(&mut own);
            assert_eq!(own, masked);
            assert_eq!(mask(masked), masked, "masking again changes nothing");
        }
        for text in ["the password for server x is incorrect", "primary key", "a://b", "passenger list", ""] {
            assert_eq!(mask(text), text);
        }
    }

    /// Secrets, pieces of their forms, and what nearly is one.
    fn fragment() -> impl Strategy<Value = String> {
        let examples = prop::sample::select(EXAMPLES).prop_map(|(text, _)| text.to_string());
        let marks = SECRETS.iter().flat_map(|secret| secret.marks).map(|mark| mark.to_string());
        let marks = prop::sample::select(marks.collect::<Vec<_>>());
        let pieces = vec![
            "primary_",
            "user:",
            "eyJ",
            "-----BEGIN ",
            "\n",
            "=",
            ": ",
            " => ",
            " '",
            "' ",
            "\"",
            "@host",
        ];
        let pieces = prop::sample::select(pieces).prop_map(str::to_string);
        let shape =
            prop::sample::select(vec![str::to_string, str::to_ascii_uppercase, str::to_ascii_lowercase]);
        (prop_oneof![examples, marks, pieces, "[A-Za-z0-9+/]{86}", "[ -~]{0,3}"], shape)
            .prop_map(|(text, shape)| shape(&text))
    }

    proptest! {
        /// Marks save time and hide nothing: trying each pattern on every text masks the same.
        #[test]
        fn every_secret_has_a_mark(fragments in prop::collection::vec(fragment(), 0..6)) {
            let text = fragments.concat();
            prop_assert_eq!(mask_kinds(&text, possible_kinds(&text)), mask_kinds(&text, u16::MAX));
        }
    }

    /// Masking does not change the messages of the catalogue, so that they match.
    #[test]
    fn no_message_looks_like_a_secret() {
        for entry in &catalog::builtin().entries {
            for template in entry.wordings.iter().chain(&entry.followups).chain(&entry.resolutions) {
                assert_eq!(mask(&template.text), template.text, "{}", entry.id);
            }
        }
    }
}
