//! Background: how often the bytes of words stand in log text.
//!
//! Four bytes come in; how many places in a million bytes begin with them goes out. The table beside this file is learned
//! from log text by `cargo bench --bench four_grams`, which is its recipe; what is too rare for it is left to chance.

use std::sync::OnceLock;

/// Four bytes, as long as the searcher's fingerprint.
pub type FourGram = [u8; 4];

/// The rarest that the table holds, in a million bytes.
const LEAST: f64 = 4.0;

/// The table in order of the bytes: four bytes of a word and how often they stand in a million bytes.
pub fn table() -> &'static [(FourGram, f64)] {
    static TABLE: OnceLock<Vec<(FourGram, f64)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let row = |line: &str| {
            let (quad, rate) = line.split_once('\t')?;
            Some((quad.as_bytes().try_into().ok()?, rate.parse().ok()?))
        };
        include_str!("four_grams.tsv").lines().filter_map(row).collect()
    })
}

/// How many places in a million bytes of logs begin with `quad`.
pub fn rate(quad: FourGram) -> f64 {
    let table = table();
    match table.binary_search_by_key(&quad, |(quad, _)| *quad) {
        Ok(at) => table[at].1,
        Err(_) => (1e6 * quad.iter().map(|byte| share(*byte)).product::<f64>()).min(LEAST),
    }
}

/// The share of a byte in log text.
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
    fn the_table_is_in_order_and_holds_what_logs_are_full_of() {
        let lines = include_str!("four_grams.tsv").lines().count();
        assert_eq!(table().len(), lines, "every line is read");
        assert!(table().windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(table().iter().all(|(_, rate)| *rate >= LEAST));
        assert!(rate(*b"tion") > 1_000.0 && rate(*b"serv") > 100.0);
        assert!(rate(*b"zqxj") < 1.0 && rate(*b"eeee") <= LEAST);
    }
}
