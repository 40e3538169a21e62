//! Redaction: masked text stays masked, and no known name stays.

use super::generated::Choices;
use migsift::catalog::Subject;
use migsift::matcher::normalized::{UnescapedText, secrets_in};
use migsift::redact::secrets::{MASK, mask};
use migsift::redact::{KEY_BYTES, KnownName, NamePosition, Redactor};

/// A few lines of a log.
const MOST: usize = 4 << 10;

pub fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let name = choices.text();
    let text = String::from_utf8_lossy(choices.take(MOST));
    let masked = mask(&text);
    let twice = mask(&masked);
    assert!(twice.contains(MASK) || !masked.contains(MASK), "{text:?}: {masked:?}, {twice:?}");
    // Neighbouring masks may become one, but all that is shown then was shown before, in this order.
    let mut rest = &*masked;
    for shown in twice.split('*').filter(|shown| !shown.is_empty()) {
        let known = rest.split_once(shown);
        assert!(known.is_some(), "{text:?}: {masked:?}, {twice:?}");
        rest = known.map_or("", |(_, after)| after);
    }
    // A password in its simplest form is masked, whatever is before it on other lines.
    let with_password = format!("{text}\npassword=Zq7hunter2Zq\n");
    assert!(!mask(&with_password).ends_with("Zq7hunter2Zq\n"), "{with_password:?}");

    // The value of a member ends at its own quote, whatever is in it.
    let member =
        serde_json::to_string(&text.chars().take(500).collect::<String>()).expect("a string is JSON");
    let document = format!("{{\"password\":{member}}}");
    let masked_document = mask(&document);
    assert!(masked_document.starts_with("{\"password\":***"), "{document}: {masked_document}");
    // What is cut out of a line leaves nothing of a secret, and the raw line is masked at the same places.
    let escaped = UnescapedText::new(text.as_bytes(), 0);
    let secrets = escaped.secrets();
    assert!(secrets.windows(2).all(|pair| pair[0].end <= pair[1].start), "{secrets:?}");
    for secret in secrets {
        let half = secret.start + secret.len() / 2;
        assert_eq!(&*escaped.shown(secret.clone()), MASK.as_bytes());
        assert_eq!(&*escaped.shown(half..secret.end), if half < secret.end { MASK.as_bytes() } else { b"" });
    }
    assert_eq!(secrets_in(text.as_bytes()).len(), secrets.len());

    let redactor = Redactor::new(&[7; KEY_BYTES]);
    let known = [KnownName { subject: Subject::Database, name: &name, position: NamePosition::Anywhere }];
    let free = redactor.redact_free_text(&text);
    assert_eq!(free, redactor.redact_free_text(&text), "the same twice");
    let without = redactor.redact_known(&text, &known);
    let redacted = redactor.redact_text(&text, &known, true);
    assert_eq!(redacted, redactor.redact_text(&text, &known, true), "the same twice");
    // A name that can be no part of a token and none of the words that redaction writes.
    let strange = name.len() > 3 && name.chars().all(|c| c.is_ascii_uppercase());
    let whole = |text: &str| {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
        text.match_indices(&name).any(|(at, found)| {
            !word(text[..at].chars().next_back()) && !word(text[at + found.len()..].chars().next())
        })
    };
    if strange {
        assert!(!whole(&without), "{name:?} in {without:?}");
        assert!(redacted.is_none_or(|redacted| !whole(&redacted)), "{name:?} in {text:?}");
    }
}
