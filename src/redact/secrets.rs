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

/// A kind of secret.
struct Secret {
    /// One of these stands in every text that holds one, in any case.
    marks: &'static [&'static str],
    /// So does one of these bytes, if any are named.
    bytes: Option<[u8; 2]>,
    /// With what it keeps before the secret as `a` and behind it as `b`. Compiling one takes long enough to be felt, and
    /// most logs need few of them.
    pattern: LazyLock<Regex>,
}

impl Secret {
    const fn new(marks: &'static [&'static str], bytes: Option<[u8; 2]>, pattern: fn() -> Regex) -> Secret {
        Secret { marks, bytes, pattern: LazyLock::new(pattern) }
    }
}

/// A value: in quotes that may be escaped, or up to a blank or mark.
const VALUE: &str = r#"(?:\\*"(?:[^"\\]|\\[^"])*\\*"|\\*'(?:[^'\\]|''|\\[^'])*\\*'|[^\s"'\\,;&<>()\[\]{}]+)"#;

/// What a password is called before its value.
const NAMED: &str = "(?:(?:pass(?:word|wd|phrase|code)|pwd|secret|credentials?|token)[a-z0-9_]{0,24}\
                     |(?:access|account|api|private|shared|storage|encryption|signing)[ _-]?key[a-z0-9_]{0,24}\
                     |(?:primary|secondary|master)_?key|shared[ _-]?access[ _-]?signature|(?:\\b|_)(?:pass|sas))";

static SECRETS: [Secret; 13] = [
    // `password=x`, `"adminPassword": "x"`, `AccountKey=x`, `PGPASSWORD=x`, `--password=x`.
    Secret::new(
        &["pass", "pwd", "secret", "credential", "token", "key", "signature", "sas"],
        Some(*b":="),
        || pattern(&format!(r#"(?P<a>(?i-u:{NAMED})\\*["']?\s*(?:=>|:=|[:=])\s*){VALUE}"#)),
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

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// The marks of all kinds, and the kind of each as a bit.
static MARKED: LazyLock<(AhoCorasick, Vec<u16>)> = LazyLock::new(|| {
    let kinds = SECRETS.iter().enumerate();
    let marks = kinds.flat_map(|(kind, secret)| secret.marks.iter().map(move |mark| (*mark, 1 << kind)));
    let (marks, kinds): (Vec<&str>, Vec<u16>) = marks.unzip();
    let mut marked = AhoCorasick::builder();
    marked.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA));
    (marked.build(marks).expect("a few short literals"), kinds)
});

/// The text with [`MASK`] for each secret in it.
pub fn mask(text: &str) -> Cow<'_, str> {
    if is_key_line(text) {
        return MASK.to_string().into();
    }
    mask_kinds(text, marked(text))
}

/// The kinds of secrets that the text may hold, as bits.
fn marked(text: &str) -> u16 {
    let (marks, kinds) = &*MARKED;
    let marked = marks.find_overlapping_iter(text).fold(0, |all, mark| all | kinds[mark.pattern()]);
    let lacks = |[one, other]: [u8; 2]| memchr::memchr2(one, other, text.as_bytes()).is_none();
    let all = SECRETS.iter().enumerate().filter(|(kind, _)| marked >> kind & 1 != 0);
    all.filter(|(_, secret)| secret.bytes.is_some_and(lacks))
        .fold(marked, |left, (kind, _)| left & !(1 << kind))
}

/// Masks secrets of `kinds`. What is masked adds no mark, so that they are told once.
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
    fn secrets_are_masked_where_they_stand() {
        for &(text, masked) in EXAMPLES {
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
        /// Marks spare time and hide nothing: each pattern tried on every text masks the same.
        #[test]
        fn every_secret_has_a_mark(fragments in prop::collection::vec(fragment(), 0..6)) {
            let text = fragments.concat();
            prop_assert_eq!(mask_kinds(&text, marked(&text)), mask_kinds(&text, u16::MAX));
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
