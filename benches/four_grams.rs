//! The recipe of `src/matcher/four_grams.tsv`: how often four bytes of a word follow each other in logs.
//!
//! `cargo bench --bench four_grams -- PATH` learns from three kinds of log text in equal shares (the benches' noise, the
//! samples, `four_grams.log` beside this file) and writes what stands in a million bytes. Without arguments nothing
//! happens. The same sources give the same table.

#[allow(dead_code, unused_imports, reason = "the other benches take more of it")]
mod generator;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Seeds the noise.
const SEED: u64 = 0x6031_0400;
/// How much noise is learned from, in bytes.
const NOISE: usize = 16 << 20;
/// What is rarer, in a million bytes, is left to chance.
const LEAST: f64 = 4.0;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [path] = &args[..] else { return };
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let background = std::fs::read(top.join("benches/four_grams.log")).expect("the background is there");
    let sources = [generator::mixed(SEED, NOISE, 0.0).bytes, samples(&top.join("samples")), background];
    let mut rates: BTreeMap<[u8; 4], f64> = BTreeMap::new();
    for source in &sources {
        let share = 1e6 / source.len() as f64 / sources.len() as f64;
        for quad in source
            .windows(4)
            .filter(|quad| quad.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
        {
            *rates.entry([quad[0], quad[1], quad[2], quad[3]]).or_default() += share;
        }
    }
    let mut table = String::new();
    for (quad, rate) in rates.iter().filter(|(_, rate)| **rate >= LEAST) {
        let _ = writeln!(table, "{}\t{rate:.0}", quad.escape_ascii());
    }
    std::fs::write(path, table).expect("the table can be written");
}

/// All logs of the samples, in order.
fn samples(folder: &Path) -> Vec<u8> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the samples are there")
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
