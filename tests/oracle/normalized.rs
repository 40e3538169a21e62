//! Unescaped and normalized text: every byte comes from a place in the raw bytes, in order, and maps back to
//! it.

use migsift::matcher::normalized::{Normalized, UnescapedText};

/// The longest input, in bytes: as long as any region that the matcher reads.
const MAX_BYTES: usize = 32 << 10;

/// Checks that both maps of `data`, as raw bytes, are in order and lead there and back.
pub fn check(data: &[u8]) {
    let raw = &data[..data.len().min(MAX_BYTES)];
    let base = raw.first().map_or(0, |byte| usize::from(*byte));
    let text = UnescapedText::new(raw, base);
    let mut before = base;
    for i in 0..text.bytes.len() {
        let (start, end) = (text.raw_start(i), text.raw_end(i + 1));
        assert!(
            before <= start && start < end && end <= base + raw.len(),
            "byte {i}: {before} {start}..{end}"
        );
        let back = text.index_of(start);
        assert!(back <= i && text.raw_start(back) == start, "byte {i} maps back to {back}");
        before = start;
    }
    assert_eq!(text.index_of(base + raw.len()), text.bytes.len());
    // All of it, its secrets masked.
    let whole = text.slice(&(base..base + raw.len()));
    assert!(!text.secrets().is_empty() || *whole == *text.bytes);
    let normalized = Normalized::new(&text.bytes);
    for i in 1..normalized.bytes.len() {
        let (last, index) = (normalized.text_index(i - 1), normalized.text_index(i));
        assert!(last <= index && index < text.bytes.len(), "normalized byte {i}");
    }
    // Memory that was used before changes nothing.
    let again = Normalized::new(b"a text that was here before, isn't it").reuse(&text.bytes);
    assert_eq!(again.bytes, normalized.bytes);
    let last =
        normalized.bytes.len().checked_sub(1).map(|last| normalized.index_of(normalized.text_index(last)));
    assert!(last.is_none_or(|last| last < normalized.bytes.len()));
}
