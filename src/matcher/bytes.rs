//! Small facts about bytes of a log, on which the matcher's other files build.
//!
//! Bytes come in, an answer about them goes out. This file knows nothing of wordings, anchors or lines, so
//! that every other file of the matcher may import it.

use std::borrow::Cow;

/// Whether `byte` is part of a word: a letter, a digit, `_`, or any byte of a character beyond ASCII.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Returns `bytes` as text with invalid UTF-8 replaced: as `String::from_utf8_lossy`, but faster where all is
/// valid.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Returns the length of the marks `> ` that mail puts before a quoted line, 0 if `line` starts with none.
pub fn mail_quote(line: &[u8]) -> usize {
    let marks = line.iter().take_while(|byte| matches!(byte, b'>' | b' ')).count();
    if line[..marks].contains(&b'>') { marks } else { 0 }
}
