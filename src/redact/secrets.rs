//! Secrets: passwords and keys in text, told by what stands before them or by how they look.
//!
//! Text comes in, the same text goes out with [`MASK`] for each secret. It is made for text that people show others, so
//! that where in doubt it masks: a word behind `password:` is one, whatever it is. It knows nothing of the catalogue.

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// What stands for a secret.
pub const MASK: &str = "***";
/// The fewest characters of a line that holds nothing but digits of base 64, as the lines of a key in PEM do.
const MIN_KEY_LINE: usize = 60;

/// One of these stands in every text with a secret, in any case.
const MARKS: [&str; 17] = [
    "pass",
    "pwd",
    "secret",
    "key",
    "token",
    "credential",
    "bearer",
    "authorization",
    "sig=",
    "://",
    "eyj",
    "akia",
    "scram-sha-256$",
    "md5",
    "identified",
    "sas",
    "==",
];

static MARKED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut marked = AhoCorasick::builder();
    marked.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA));
    marked.build(MARKS).expect("a few short literals")
});

/// A value: in quotes that may be escaped, or up to a blank or mark.
const VALUE: &str = r#"(?:\\*"(?:[^"\\]|\\[^"])*\\*"|\\*'(?:[^'\\]|''|\\[^'])*\\*'|[^\s"'\\,;&<>()\[\]{}]+)"#;

/// Each with what it keeps before the secret as `a` and behind it as `b`.
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let named = "(?:(?:pass(?:word|wd|phrase|code)|pwd|secret|credentials?|token)[a-z0-9_]{0,24}\
                 |(?:access|account|api|private|shared|storage|encryption|signing)[ _-]?key[a-z0-9_]{0,24}\
                 |(?:primary|secondary|master)_?key|shared[ _-]?access[ _-]?signature|(?:\\b|_)(?:pass|sas))";
    [
        // `password=x`, `"adminPassword": "x"`, `AccountKey=x`, `PGPASSWORD=x`, `--password=x`.
        format!(r#"(?P<a>(?i-u:{named})\\*["']?\s*(?:=>|:=|[:=])\s*){VALUE}"#),
        // `PASSWORD 'x'` and `IDENTIFIED BY 'x'` of SQL, `--password x` of a command.
        r#"(?P<a>\b(?i-u:password|identified by)\s+(?i-u:e)?)\\*(?:'(?:[^']|'')*'|"[^"]*")"#.into(),
        r#"(?P<a>--?(?i-u:password|passwd|pwd|token|secret)\s+)[^\s"'-]\S*"#.into(),
        // `scheme://user:x@host`.
        r#"(?P<a>(?i-u:[a-z][a-z0-9+.-]*)://[^\s:/@"'<>]*:)[^\s"'<>]+(?P<b>@)"#.into(),
        r#"(?P<a>(?i-u:authorization)\\*["']?\s*[:=]\s*\\*["']?(?:(?i-u:[a-z]+)\s+)?)[^\s"'\\,]+"#.into(),
        r"(?P<a>\b(?i-u:bearer)\s+)[A-Za-z0-9._~+/=-]{16,}".into(),
        r#"(?P<a>(?i-u:[?&;]sig=))[^&\s"'<>\\]+"#.into(),
        // A token of JSON, an access key, a hashed password of PostgreSQL, a key of 64 bytes.
        r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?".into(),
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b".into(),
        r#"SCRAM-SHA-256\$[^\s"',\\]+"#.into(),
        r"\bmd5[0-9a-f]{32}\b".into(),
        r"[A-Za-z0-9+/]{86}==".into(),
        r"(?P<a>-----BEGIN [A-Z ]*PRIVATE KEY-----)(?s:.)*?(?:(?P<b>-----END [A-Z ]*PRIVATE KEY-----)|\z)"
            .into(),
    ]
    .iter()
    .map(|pattern: &String| Regex::new(pattern).expect("a valid pattern"))
    .collect()
});

/// The text with [`MASK`] for each secret in it.
pub fn mask(text: &str) -> Cow<'_, str> {
    if is_key_line(text) {
        return MASK.to_string().into();
    }
    if !MARKED.is_match(text) {
        return text.into();
    }
    let mut masked = Cow::Borrowed(text);
    for secret in &*SECRETS {
        let replaced = secret.replace_all(&masked, |found: &Captures<'_>| {
            let kept = |name| found.name(name).map_or("", |kept| kept.as_str());
            format!("{}{MASK}{}", kept("a"), kept("b"))
        });
        if let Cow::Owned(replaced) = replaced {
            masked = replaced.into();
        }
    }
    masked
}

/// Masks in place, and leaves alone what holds no secret.
pub fn mask_in_place(text: &mut String) {
    if let Cow::Owned(masked) = mask(text) {
        *text = masked;
    }
}

/// Whether it may be a line of a key in PEM.
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

    #[test]
    fn secrets_are_masked_where_they_stand() {
        for (text, masked) in [
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
            ("SCRAM-SHA-256$4096:abc$def:ghi", "***"),
            ("hash md5900150983cd24fb0d6963f7d28e17f72", "hash ***"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb",
                "a\n-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nb",
            ),
            ("-----BEGIN PRIVATE KEY-----\nabc", "-----BEGIN PRIVATE KEY-----***"),
            ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj", "***"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
            let mut own = text.to_string();
            mask_in_place(&mut own);
            assert_eq!(own, masked);
            assert_eq!(mask(masked), masked, "what is masked stays");
        }
        for text in ["the password for server x is incorrect", "primary key", "a://b", "passenger list", ""] {
            assert_eq!(mask(text), text);
        }
    }

    /// Masking leaves the messages of the catalogue as they are, so that they match.
    #[test]
    fn no_message_is_taken_for_a_secret() {
        for entry in &catalog::builtin().entries {
            for template in entry.wordings.iter().chain(&entry.followups).chain(&entry.resolutions) {
                assert_eq!(mask(&template.text), template.text, "{}", entry.id);
            }
        }
    }
}
