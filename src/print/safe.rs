//! Escaping that every printer shares: no control character of a log reaches a reader.
//!
//! Log text, arguments and paths come in; the same text with its [hidden characters](is_hidden) escaped goes
//! out. Whoever controls a log line controls these values, and some characters act on the program that shows
//! them:
//!
//! - `ESC [ 2 J` clears a terminal, and `ESC ] 0` renames its window.
//! - U+202E reverses the text after it, so that `gnp.exe` is shown as `exe.png`.
//! - A line break starts a new line that looks like one of the report's own.
//!
//! Each medium has more characters of its own that are special. They are escaped where the medium is printed,
//! on top of this module:
//!
//! | medium | special | escaped in |
//! |---|---|---|
//! | terminal, pipe | hidden characters | [`line()`] |
//! | JSON, NDJSON | hidden characters, as `\u001b` | [`Compact`], [`Pretty`] |
//! | CSV | formulas | [`cell`] |
//! | Markdown | markup, mentions, links | `markdown/escape.rs` |
//! | HTML | `<`, `&`, quotes | maud, through `html/text.rs` |
//! | XML | `<`, `&`, quotes, what XML 1.0 cannot hold | `junit.rs` |
//! | Prometheus | `\`, `"` | `prometheus.rs` |
//!
//! The invariant, which a property test holds every format to: no printed text contains a hidden character,
//! except the line breaks that the format writes itself.

use crate::text::is_hidden;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use std::borrow::Cow;
use std::io::{self, Write};

/// `text` on one line: line breaks and tabs become spaces, other hidden characters are escaped (`\u{1b}`).
pub fn line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\t' => safe.push(' '),
            '\r' => {}
            _ if is_hidden(c) => safe.extend(c.escape_unicode()),
            _ => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// `text` with its line breaks, each line escaped by [`line()`].
pub fn block(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// `text` as a CSV cell that no spreadsheet reads as a formula: an apostrophe is put before what may start
/// one.
///
/// `=cmd|' /C calc'!A0` in a database's name would otherwise run a program when the file is opened.
/// Spreadsheets skip spaces and quotes before the `=`, and accept its fullwidth form. In many countries a
/// semicolon separates cells, so a formula may also follow one.
pub fn cell(text: &str) -> Cow<'_, str> {
    let safe = line(text);
    if !safe.split(';').any(starts_formula) {
        return safe;
    }
    let mut cell = String::with_capacity(safe.len() + 8);
    for (i, part) in safe.split(';').enumerate() {
        cell.push_str(if i > 0 { ";" } else { "" });
        cell.push_str(if starts_formula(part) { "'" } else { "" });
        cell.push_str(part);
    }
    Cow::Owned(cell)
}

/// Whether a spreadsheet may read a cell with this text as a formula or a command.
fn starts_formula(text: &str) -> bool {
    let quote = |c: char| matches!(c, '"' | '\'' | '`' | '“' | '”' | '‘' | '’');
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || quote(c));
    let mark = |c: char| {
        matches!(c, '=' | '+' | '-' | '@' | '|' | '%')
            || matches!(c, '＝' | '＋' | '－' | '＠' | '｜' | '％' | '﹦' | '﹢' | '﹣' | '﹫' | '−')
    };
    text.starts_with(mark)
}

/// JSON on one line with hidden characters escaped. `\u001b` is valid JSON for the same text, so a parser
/// reads back what the log has.
#[derive(Debug)]
pub struct Compact;

/// The same, indented.
#[derive(Debug, Default)]
pub struct Pretty(PrettyFormatter<'static>);

impl Formatter for Compact {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_fragment(writer, fragment)
    }
}

/// Forwards all layout to the pretty formatter.
macro_rules! forward {
    ($($name:ident($($arg:ident: $kind:ty),*)),+ $(,)?) => {
        $(fn $name<W: Write + ?Sized>(&mut self, writer: &mut W $(, $arg: $kind)*) -> io::Result<()> {
            self.0.$name(writer $(, $arg)*)
        })+
    };
}

impl Formatter for Pretty {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_fragment(writer, fragment)
    }

    forward!(
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        begin_object_value(),
        end_object_value(),
    );
}

fn write_fragment<W: Write + ?Sized>(writer: &mut W, fragment: &str) -> io::Result<()> {
    let mut plain = CompactFormatter;
    // Fast path for ASCII without DEL: adding one to such a byte leaves the high bit clear, and OR-ing the
    // sums needs no branch per byte. serde_json escapes the C0 controls itself.
    if fragment.bytes().fold(0, |seen, byte| seen | byte.wrapping_add(1)) < 0x80 {
        return plain.write_string_fragment(writer, fragment);
    }
    let mut rest = fragment;
    while let Some(at) = rest.find(is_hidden) {
        plain.write_string_fragment(writer, &rest[..at])?;
        let c = rest[at..].chars().next().unwrap_or_default();
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            write!(writer, "\\u{unit:04x}")?;
        }
        rest = &rest[at + c.len_utf8()..];
    }
    plain.write_string_fragment(writer, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    fn json(text: &str) -> String {
        let mut bytes = Vec::new();
        text.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Compact)).expect("writes");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn hidden_characters_are_escaped() {
        assert_eq!(line("a\x1b[31mb\u{202e}c\u{9b}d\r\ne"), "a\\u{1b}[31mb\\u{202e}c\\u{9b}d e");
        assert_eq!(json("a\x1b\u{202e}\u{9b}\u{7f}"), "\"a\\u001b\\u202e\\u009b\\u007f\"");
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(1)",
            " =1",
            "\t=1",
            "\r=1",
            "\"=1",
            "''=1",
            "＝1",
            "\u{a0}＠x",
            "|x",
            "%x",
        ] {
            assert_eq!(cell(formula), format!("'{}", line(formula)));
        }
        assert_eq!(cell("a; =1;b;-2"), "a;' =1;b;'-2");
        assert_eq!(block("a\tb\x1b\r\n\rc\u{2028}\n"), "a b\\u{1b}\nc\\u{2028}");
        assert_eq!(cell("plain"), "plain");
    }

    proptest! {
        #[test]
        fn no_cell_starts_a_formula(text in "[ \t\r\"'`;=+@|%＝＋－﹣−a\\-]{0,12}") {
            let cell = cell(&text);
            for part in cell.split(';') {
                let part = part.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
                prop_assert!(!part.starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '﹣', '−']), "{cell}");
            }
            let without = |text: &str| text.replace('\'', "");
            prop_assert_eq!(without(&cell), without(&line(&text)));
        }

        #[test]
        fn no_hidden_character_remains(text in any::<String>()) {
            prop_assert!(!line(&text).contains(is_hidden));
            prop_assert!(!cell(&text).contains(is_hidden));
            prop_assert!(!block(&text).contains(|c| c != '\n' && is_hidden(c)));
            let json = json(&text);
            prop_assert!(!json.contains(is_hidden));
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("valid"), text);
        }
    }
}
