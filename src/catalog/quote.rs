//! Quoting: values from logs as parts of commands that people copy.
//!
//! A value and the role it has in a command come in; its quoted form goes out, or the reason why it is refused. The
//! module knows nothing of templates or of what a command does.
//!
//! A log is written by others, and its values are hostile until shown otherwise. The user `a"; DROP TABLE x; --` must
//! not become a second statement in a plan:
//!
//! ```text
//! ALTER ROLE {user:ident} WITH REPLICATION;     a"; DROP TABLE x; --
//! ALTER ROLE "a""; DROP TABLE x; --" WITH REPLICATION;
//! ```
//!
//! The invariant: whatever the value, the result is exactly one identifier, one string literal, one number or one word
//! of a shell. Doubling the quote mark, PostgreSQL's own rule, suffices for that on a server with
//! `standard_conforming_strings`. But people paste commands into psql, scripts, cmd and PowerShell, and into editors and
//! chats first, and no escape holds in all of them. So a value is refused, rather than escaped, if it holds
//!
//! - a **backslash**: psql reads `\!` at the start of a line, and servers with the old setting read `\'` as a quote;
//! - a **control or hidden character** ([`is_hidden`]): a line break starts a new line of psql, and a command with a
//!   bidirectional mark or a zero-width blank is not the command that the reader sees and approves;
//! - **U+FFFD**, put in place of bytes that were no text: the name in the command would be another name;
//! - **more than 63 bytes** as an identifier: PostgreSQL truncates it, and the truncated name may be another object;
//! - as a shell's word **anything but letters, digits and `._-:@/`**, or a first character that makes it an option
//!   (`-x`) or a file to read (`@x`).
//!
//! A refused value makes no command; the plan names the value and the reason, and the reader writes the command by hand.

use crate::text::is_hidden;
use std::fmt;

/// The longest identifier in bytes; PostgreSQL truncates a longer one, and the command would name something else.
pub const MAX_IDENTIFIER: usize = 63;
/// The longest literal or word in bytes.
pub const MAX_VALUE: usize = 1_000;
/// The most digits of a number.
const MAX_DIGITS: usize = 10;

stable_names! {
    /// The role of a value in a command.
    Quoting {
        /// An SQL identifier in double quotes.
        Ident = "ident",
        /// An SQL string in single quotes.
        Literal = "literal",
        /// Digits.
        Number = "number",
        /// A word that no shell reads as anything else.
        Word = "word",
    }
}

/// Why a value cannot be part of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is empty.
    Empty,
    /// It is longer than PostgreSQL's names.
    TooLong,
    /// It holds a hidden character.
    Control,
    /// It holds a backslash, which psql and old servers act on.
    Backslash,
    /// It holds a mark in place of bytes that were no text.
    Lossy,
    /// It is not a number.
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
    /// Returns `value` as a part of a command.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be one.
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
                let first = value.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/'));
                if first && value.chars().all(plain) { Ok(value.to_string()) } else { Err(Refusal::Shell) }
            }
        }
    }
}

/// Refuses what no quoting makes safe.
fn check(value: &str, max_bytes: usize) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(Refusal::Empty);
    }
    if value.len() > max_bytes {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_unsafe_values_refused() {
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
