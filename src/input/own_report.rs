//! Outputs of this program: recognised by their first bytes, so that a scan skips them.
//!
//! The folder of a failed migration often holds the report of an earlier scan. Scanning that report would
//! count its samples again. The first bytes of a file and a list of [`Signature`]s come in; whether one of
//! them matches goes out.
//!
//! The signatures themselves are defined where the outputs are printed. This module does not know any format:
//! the caller of the scan passes them in, so that a new format needs no change here.

/// The number of first bytes in which a signature must match.
pub const HEAD_BYTES: usize = 256;

/// How an output starts.
#[derive(Debug, Clone, Copy)]
pub enum Signature {
    /// Text that starts with `start` and has `marker` in its first [`HEAD_BYTES`].
    Text {
        /// The first bytes.
        start: &'static str,
        /// Text that follows somewhere; empty if the start is enough.
        marker: &'static str,
    },
    /// Whatever the function accepts: for text that starts with a number.
    Matches(fn(&[u8]) -> bool),
}

impl Signature {
    /// Whether a file with these first bytes is such an output.
    fn matches(&self, head: &[u8]) -> bool {
        match self {
            Signature::Text { start, marker } => {
                head.starts_with(start.as_bytes()) && memchr::memmem::find(head, marker.as_bytes()).is_some()
            }
            Signature::Matches(matches) => matches(head),
        }
    }
}

/// Whether a file that starts with `head` is one of the outputs with these signatures.
pub fn is(signatures: &[Signature], head: &[u8]) -> bool {
    signatures.iter().any(|signature| signature.matches(head))
}
