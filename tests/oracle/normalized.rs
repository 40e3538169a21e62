//! Canonical text: every byte and key comes from a place in the raw bytes, in order, and the way there leads back.

use migsift::matcher::normalized::{Normalized, UnescapedText};

/// As long as any region that the matcher looks at.
const MOST: usize = 32 << 10;

pub fn check(data: &[u8]) {
    let raw = &data[..data.len().min(MOST)];
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
        assert!(back <= i && text.raw_start(back) == start, "byte {i} leads to {back}");
        before = start;
    }
    assert_eq!(text.index_of(base + raw.len()), text.bytes.len());
    assert_eq!(text.slice(&(base..base + raw.len())), &*text.bytes);
    let keys = Normalized::new(&text.bytes);
    for k in 1..keys.bytes.len() {
        assert!(keys.at(k - 1) <= keys.at(k) && keys.at(k) < text.bytes.len(), "key {k}");
    }
    // Memory that was used before changes nothing.
    let again = Normalized::new(b"what stood here before, isn't it").of(&text.bytes);
    assert_eq!(again.bytes, keys.bytes);
    let empty = keys.bytes.is_empty();
    assert!(empty || keys.index_of(keys.at(keys.bytes.len() - 1)) < keys.bytes.len());
}
