//! Facts about characters and lines that several layers need, and how they compile their patterns.
//!
//! Text comes in; whether a character is hidden, in which line a byte is, and compiled patterns go out. The module knows
//! nothing of logs, catalogues or formats. It is the only table of hidden characters: what a printer writes out as an escape is
//! exactly what a command in a plan refuses.

use std::fmt::Debug;
use std::str::FromStr;

/// Whether a reader cannot see the character, or sees other characters wrongly because of it.
///
/// These are: control characters (C0, DEL, C1), which terminals obey; marks that change the direction of the text
/// around them, so that `exe.log` is
/// shown where `gol.exe` is meant; line and paragraph separators, which some viewers break
/// lines at and others do not; and everything that Unicode calls *default ignorable*, which is shown as nothing: zero
/// width blanks, soft hyphens, fillers, variation selectors, and tag characters, in which a whole sentence can hide.
///
/// ```
/// use migsift::text::is_hidden;
/// assert!(['\u{1b}', '\u{202e}', '\u{200b}', '\u{ad}', '\u{e0041}'].into_iter().all(is_hidden));
/// assert!(!['a', ' ', 'é', '\u{a0}', '漢'].into_iter().any(is_hidden));
/// ```
pub fn is_hidden(c: char) -> bool {
    // Nearly all text is ASCII, and this is asked of every character that is printed.
    if c < '\u{ad}' {
        return c.is_control();
    }
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Where the lines of a text end, to find the line of a byte without counting again.
///
/// A hostile file can have a problem on each of a million lines; counting from its start for every one would take
/// quadratic time.
#[derive(Debug)]
pub struct LineIndex {
    ends: Vec<usize>,
}

impl LineIndex {
    /// Finds the line ends of `text`.
    pub fn new(text: &str) -> LineIndex {
        LineIndex { ends: memchr::memchr_iter(b'\n', text.as_bytes()).collect() }
    }

    /// Returns the 1-based line that holds the byte `at`. A line end belongs to the line that it ends.
    pub fn line(&self, at: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < at)
    }
}

/// Compiles a regular expression that is part of the program, for text or for bytes.
///
/// # Panics
///
/// If the pattern is not valid, which every test that reaches it excludes.
pub(crate) fn pattern<R>(text: &str) -> R
where
    R: FromStr,
    R::Err: Debug,
{
    text.parse().expect("a valid pattern")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The regular expression engine has Unicode's tables, which this module's table is held to.
    #[test]
    fn every_control_and_ignorable_character_is_hidden() {
        let class =
            regex::Regex::new(r"^[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]$");
        let class = class.expect("a valid pattern");
        for c in '\0'..=char::MAX {
            let annotation = matches!(c, '\u{fff9}'..='\u{fffb}');
            let mut buffer = [0; 4];
            let listed = annotation || class.is_match(c.encode_utf8(&mut buffer));
            assert_eq!(is_hidden(c), listed, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn bytes_are_in_lines() {
        let index = LineIndex::new("a\nb\n\nc");
        assert_eq!([0, 1, 2, 3, 4, 5, 99].map(|at| index.line(at)), [1, 1, 2, 2, 3, 4, 4]);
    }
}
