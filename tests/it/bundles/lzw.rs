//! Writes what compress(1) writes.

use std::collections::HashMap;

/// Writes codes in groups of eight, each as wide as the first of them.
struct Codes {
    bytes: Vec<u8>,
    width: usize,
    group: Vec<usize>,
}

impl Codes {
    fn push(&mut self, code: usize) {
        self.group.push(code);
        if self.group.len() == 8 {
            self.pad();
        }
    }

    /// Ends the group.
    fn end(&mut self) {
        let mut bits = 0u128;
        for (i, code) in self.group.iter().enumerate() {
            bits |= (*code as u128) << (i * self.width);
        }
        let bytes = (self.group.len() * self.width).div_ceil(8);
        self.bytes.extend(&bits.to_le_bytes()[..bytes]);
        self.group.clear();
    }

    /// Fills up the group, if one has started, and ends it.
    fn pad(&mut self) {
        if !self.group.is_empty() {
            self.group.resize(8, 0);
            self.end();
        }
    }
}

/// Compresses `bytes` with codes of up to `max_width` bits. Empties the table a while after it is full.
pub fn compress(bytes: &[u8], max_width: usize) -> Vec<u8> {
    let mut codes = Codes { bytes: vec![0x1f, 0x9d, 0x80 | max_width as u8], width: 9, group: Vec::new() };
    let (mut table, mut next, mut since_full) = (HashMap::new(), 257, 0);
    let Some((first, rest)) = bytes.split_first() else { return codes.bytes };
    let mut string = usize::from(*first);
    for byte in rest {
        if let Some(longer) = table.get(&(string, *byte)) {
            string = *longer;
            continue;
        }
        codes.push(string);
        if next < 1 << max_width {
            table.insert((string, *byte), next);
            next += 1;
            // A reader knows one string less.
            if next > 1 << codes.width && codes.width < max_width {
                codes.pad();
                codes.width += 1;
            }
        } else {
            since_full += 1;
        }
        if since_full > 10_000 {
            codes.push(256);
            codes.pad();
            table.clear();
            (codes.width, next, since_full) = (9, 257, 0);
        }
        string = usize::from(*byte);
    }
    codes.push(string);
    codes.end();
    codes.bytes
}
