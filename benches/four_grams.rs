//! The recipe of `src/matcher/four_grams.tsv`: how often four bytes of a word occur in logs.
//!
//! `cargo bench --bench four_grams -- PATH` counts in three kinds of log text of equal weight (the benches'
//! noise, the samples, `four_grams.log` beside this file) and writes the rates in a million bytes. Without
//! arguments nothing happens. The same sources make the same table.

#[allow(dead_code, unused_imports, reason = "the other benches use more of it")]
mod generator;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// The seed of the noise.
const SEED: u64 = 0x6031_0400;
/// How much noise is counted in, in bytes.
const NOISE: usize = 16 << 20;
/// The lowest rate in the table, in a million bytes; the matcher estimates rarer ones.
const MIN_RATE: f64 = 4.0;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [path] = &args[..] else { return };
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let log = std::fs::read(top.join("benches/four_grams.log")).expect("the log can be read");
    let sources = [generator::mixed(SEED, NOISE, 0.0).bytes, samples(&top.join("samples")), log];
    let mut rates: BTreeMap<[u8; 4], f64> = BTreeMap::new();
    for source in &sources {
        let share = 1e6 / source.len() as f64 / sources.len() as f64;
        for four_gram in source
            .windows(4)
            .filter(|four_gram| four_gram.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
        {
            *rates.entry([four_gram[0], four_gram[1], four_gram[2], four_gram[3]]).or_default() += share;
        }
    }
    let mut table = String::new();
    for (four_gram, rate) in rates.iter().filter(|(_, rate)| **rate >= MIN_RATE) {
        let _ = writeln!(table, "{}\t{rate:.0}", four_gram.escape_ascii());
    }
    std::fs::write(path, table).expect("the table can be written");
}

/// Returns all logs of the samples, in order of their paths.
fn samples(folder: &Path) -> Vec<u8> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the samples can be read")
        .map(|item| item.expect("an item").path())
        .collect();
    paths.sort();
    let mut bytes = Vec::new();
    for path in paths {
        if path.is_dir() {
            bytes.extend(samples(&path));
        } else if !path.to_string_lossy().ends_with(".expected.json") && !path.ends_with("README.md") {
            bytes.extend(std::fs::read(&path).expect("a sample can be read"));
        }
    }
    bytes
}
