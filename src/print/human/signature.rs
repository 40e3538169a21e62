//! How text for people is recognised as an output of this program.
//!
//! Such text has no marker at its start: it opens with the verdict, which often starts with a number, as many
//! log lines do. So the verdict's first words are not enough. The line that counts the inputs must follow in
//! the first three lines:
//!
//! ```text
//! 9 blockers in 2 of 8 databases, 1 warning
//! 9 yours to fix
//! 1,204 of 1,207 inputs read (34.8 kB): 12 findings (12 errors)
//! ```
//!
//! The first bytes of a file come in; whether they are those of a report goes out.

use crate::input::Signature;

/// How a report for people starts.
pub(super) const SIGNATURES: &[Signature] = &[Signature::Matches(is_report)];

fn is_report(head: &[u8]) -> bool {
    // The first byte decides for almost every file, before anything is searched.
    let verdict = match head.first() {
        Some(b'N') => head.starts_with(b"Nothing found") || head.starts_with(b"No blockers, "),
        Some(b'a') => head.starts_with(b"at least "),
        Some(b'0'..=b'9') => {
            let space = head.iter().position(|byte| *byte == b' ');
            space.is_some_and(|space| head[space..].starts_with(b" blocker"))
        }
        _ => false,
    };
    verdict && String::from_utf8_lossy(head).lines().take(3).any(counts_inputs)
}

/// Whether the line counts inputs: `1,204 of 1,207 inputs read (34.8 kB)`.
fn counts_inputs(line: &str) -> bool {
    let Some((counts, _)) = line.split_once(" read (") else { return false };
    let counts: Vec<&str> = counts.split(' ').collect();
    matches!(counts[..], [read, "of", asked, "input" | "inputs"] if is_count(read) && is_count(asked))
}

/// Whether the text is a number as people read it: digits and commas.
pub(in crate::print) fn is_count(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b',')
}
