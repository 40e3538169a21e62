//! Quoting: values from logs as parts of commands that people copy.
//!
//! A value and what it is to be come in; its quoted form goes out, or why it is refused. Quoting follows PostgreSQL's
//! rules, so that a value is one identifier, one literal or one word, whatever it holds. What a quote does not make safe
//! everywhere it may be pasted (psql, a shell, cmd, PowerShell, an editor) is refused rather than escaped.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest identifier in bytes; PostgreSQL cuts a longer one, and the command would name something else.
pub const MAX_IDENTIFIER: usize = 63;
/// The longest literal or word in bytes.
pub const MAX_VALUE: usize = 1_000;
/// The most digits of a number.
const MAX_DIGITS: usize = 10;

/// What a value is to be in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quoting {
    /// An SQL identifier in double quotes.
    Ident,
    /// An SQL string in single quotes.
    Literal,
    /// Digits.
    Number,
    /// A word that no shell reads as anything else.
    Word,
}

/// Why a value is no part of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is nothing.
    Empty,
    /// It is longer than PostgreSQL takes.
    TooLong,
    /// It holds a control character, or one that changes how text is shown.
    Control,
    /// It holds a backslash, which psql and old servers act on.
    Backslash,
    /// It holds a mark in place of bytes that are no text.
    Lossy,
    /// It is no number.
    NoNumber,
    /// A shell might act on it.
    Shell,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Empty => "it is empty",
            Refusal::TooLong => "it is longer than PostgreSQL's names",
            Refusal::Control => "it holds control characters",
            Refusal::Backslash => "it holds a backslash",
            Refusal::Lossy => "it holds bytes that are no text",
            Refusal::NoNumber => "it is no number",
            Refusal::Shell => "it holds characters that a shell may act on",
        })
    }
}

impl Quoting {
    /// The name in pattern files.
    pub fn parse(name: &str) -> Option<Quoting> {
        Some(match name {
            "ident" => Quoting::Ident,
            "literal" => Quoting::Literal,
            "number" => Quoting::Number,
            "word" => Quoting::Word,
            _ => return None,
        })
    }

    /// `value` as a part of a command.
    ///
    /// # Errors
    ///
    /// Why it cannot be one.
    pub fn quote(self, value: &str) -> Result<String, Refusal> {
        check(value, if self == Quoting::Ident { MAX_IDENTIFIER } else { MAX_VALUE })?;
        match self {
            Quoting::Ident => Ok(format!("\"{}\"", value.replace('"', "\"\""))),
            Quoting::Literal => Ok(format!("'{}'", value.replace('\'', "''"))),
            Quoting::Number
                if value.len() <= MAX_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Ok(value.to_string())
            }
            Quoting::Number => Err(Refusal::NoNumber),
            Quoting::Word => {
                let plain =
                    |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '@' | '/');
                // `-x` is an option and `@x` a file to read.
                let begins = value.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/'));
                if begins && value.chars().all(plain) { Ok(value.to_string()) } else { Err(Refusal::Shell) }
            }
        }
    }
}

fn check(value: &str, most: usize) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::Empty);
    }
    if value.len() > most {
        return Err(Refusal::TooLong);
    }
    for c in value.chars() {
        match c {
            '\\' => return Err(Refusal::Backslash),
            '\u{fffd}' => return Err(Refusal::Lossy),
            _ if is_hidden(c) => return Err(Refusal::Control),
            _ => {}
        }
    }
    Ok(())
}

/// Characters that are not shown, or change how others are: a command with one is not what it looks like.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_the_rest_refused() {
        let ident = |value: &str| Quoting::Ident.quote(value);
        assert_eq!(ident("Order \"x\"; --").as_deref(), Ok("\"Order \"\"x\"\"; --\""));
        assert_eq!(ident("größe").as_deref(), Ok("\"größe\""));
        assert_eq!(ident(""), Err(Refusal::Empty));
        assert_eq!(ident("a\0b"), Err(Refusal::Control));
        assert_eq!(ident("a\n\\! id"), Err(Refusal::Control));
        assert_eq!(ident("\\! id"), Err(Refusal::Backslash));
        assert_eq!(ident("a\u{202e}b"), Err(Refusal::Control));
        assert_eq!(ident("a\u{fffd}"), Err(Refusal::Lossy));
        assert!(ident(&"x".repeat(63)).is_ok());
        assert_eq!(ident(&"x".repeat(64)), Err(Refusal::TooLong));
        assert_eq!(Quoting::Literal.quote("it's").as_deref(), Ok("'it''s'"));
        assert_eq!(Quoting::Number.quote("12").as_deref(), Ok("12"));
        assert_eq!(Quoting::Number.quote("1; DROP"), Err(Refusal::NoNumber));
        assert_eq!(Quoting::Word.quote("pg_stat-x.1").as_deref(), Ok("pg_stat-x.1"));
        for word in
            ["-x", "@file", "a b", "$(id)", "a;b", "a'b", "é", "a,b", "<x>", "a&b", "%PATH%", "!x", "*"]
        {
            assert_eq!(Quoting::Word.quote(word), Err(Refusal::Shell), "{word}");
        }
    }
}
