//! Writes a corpus of the benches to files, for comparisons with other programs.
//!
//! `cargo bench --bench corpus -- KIND BYTES PATH` writes at least `BYTES` bytes (with K, M or G) and prints
//! how many findings are in them. `KIND` is `sparse` (one line in 2,000), `dense` (every second line),
//! `document` (one JSON document of about `BYTES`) or `files` (20,000 files below the folder `PATH`).
//! `catalogue ENTRIES PATH` writes a pattern file with so many entries and prints their number. Without
//! arguments nothing happens.

#![allow(clippy::print_stdout)]

mod generator;

use migsift::catalog;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// The seed of every corpus, as in the other benches.
const SEED: u64 = 0x6031_0400;
/// How many bytes are made at once.
const PIECE: usize = 64 << 20;
/// The bytes of a document for each of its findings, rounded up.
const DOCUMENT_FINDING: usize = 512;
/// The number of small files.
const FILES: usize = 20_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [kind, bytes, path] = &args[..] else { return };
    let (bytes, path) = (size(bytes), Path::new(path));
    let count = match kind.as_str() {
        "sparse" => pieces(bytes, path, |seed, bytes| generator::mixed(seed, bytes, 0.0005)),
        "dense" => pieces(bytes, path, generator::dense),
        "document" => {
            let corpus = generator::json_document(SEED, (bytes / DOCUMENT_FINDING) as u64);
            std::fs::write(path, &corpus.bytes).expect("the corpus can be written");
            corpus.findings
        }
        "files" => generator::small_files(SEED, path, FILES, bytes),
        "catalogue" => {
            let text = generator::catalogue(SEED, bytes);
            std::fs::write(path, &text).expect("the pattern file can be written");
            catalog::parse("generated", &text).expect("the pattern file can be read").entries.len() as u64
        }
        _ => panic!("the kind is sparse, dense, document, files or catalogue, not {kind}"),
    };
    println!("{count}");
}

fn size(text: &str) -> usize {
    let digits = text.trim_end_matches(['K', 'M', 'G']);
    let shift = match &text[digits.len()..] {
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => 0,
    };
    digits.parse::<usize>().expect("a number of bytes") << shift
}

/// Writes a corpus piece by piece, so that a large one needs little memory.
fn pieces(bytes: usize, path: &Path, make: fn(u64, usize) -> generator::Corpus) -> u64 {
    let mut file = File::create(path).expect("the file can be created");
    let (mut written, mut findings) = (0, 0);
    while written < bytes {
        let corpus = make(SEED.wrapping_add(written as u64), PIECE.min(bytes - written));
        file.write_all(&corpus.bytes).expect("the corpus can be written");
        written += corpus.bytes.len();
        findings += corpus.findings;
    }
    findings
}
