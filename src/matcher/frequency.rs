//! Frequencies: how often four bytes of a word occur in log text.
//!
//! Four bytes come in; how many places in a million bytes of logs start with them goes out. The choice of
//! anchors and their distribution over the searcher's buckets are as good as this estimate. It knows nothing
//! of either.
//!
//! The table `four_grams.tsv` beside this file was counted in log text by `cargo bench --bench four_grams`,
//! which is its recipe. Four bytes are what the vectorised searcher compares before it looks closer, so the
//! table answers directly how often it will. Four-grams that are too rare for the table are estimated from
//! the frequencies of single letters.

use std::sync::OnceLock;

/// Four bytes, as many as the searcher's fingerprint has.
pub type FourGram = [u8; 4];

/// The lowest rate in the table, in a million bytes.
const MIN_RATE: f64 = 4.0;

/// Returns the table in order of the bytes: four bytes of a word, and how often they occur in a million
/// bytes.
pub fn table() -> &'static [(FourGram, f64)] {
    static TABLE: OnceLock<Vec<(FourGram, f64)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let row = |line: &str| {
            let (four_gram, rate) = line.split_once('\t')?;
            Some((four_gram.as_bytes().try_into().ok()?, rate.parse().ok()?))
        };
        include_str!("four_grams.tsv").lines().filter_map(row).collect()
    })
}

/// Returns how many places in a million bytes of logs start with `four_gram`.
pub fn rate(four_gram: FourGram) -> f64 {
    let table = table();
    match table.binary_search_by_key(&four_gram, |(known, _)| *known) {
        Ok(at) => table[at].1,
        Err(_) => (1e6 * four_gram.iter().map(|byte| share(*byte)).product::<f64>()).min(MIN_RATE),
    }
}

/// Returns the share of a byte in log text.
fn share(byte: u8) -> f64 {
    /// Letters in a thousand bytes of PostgreSQL and migration service logs.
    const PER_MILLE: [u16; 26] =
        [50, 9, 25, 27, 75, 11, 13, 15, 45, 2, 6, 29, 18, 43, 46, 17, 2, 47, 43, 60, 19, 8, 7, 4, 9, 2];
    let per_mille = match byte {
        b'a'..=b'z' => PER_MILLE[usize::from(byte - b'a')],
        b'0'..=b'9' => 20,
        b'_' => 10,
        b'A'..=b'Z' => 6,
        _ => 3,
    };
    f64::from(per_mille) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_the_four_grams_of_frequent_words() {
        let lines = include_str!("four_grams.tsv").lines().count();
        assert_eq!(table().len(), lines, "every line is read");
        assert!(table().windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(table().iter().all(|(_, rate)| *rate >= MIN_RATE));
        assert!(rate(*b"tion") > 1_000.0 && rate(*b"serv") > 100.0);
        assert!(rate(*b"zqxj") < 1.0 && rate(*b"eeee") <= MIN_RATE);
    }
}
