//! Corpora for the benches: logs with a known number of findings, and pattern files of any size.
//!
//! A seed and a size come in; bytes that look like the logs of a failed migration go out, with the number of
//! findings that were planted in them. The same seed makes the same bytes on every platform. The generator
//! does not know the matcher: a bench compares the matcher's count with [`Corpus::findings`] before it
//! measures the time.

mod catalogue;
mod finding;
mod noise;
mod rng;
mod words;

pub use catalogue::catalogue;
use finding::Finding;
use migsift::input::MAX_WHOLE_BYTES;
use rng::Rng;
use std::fmt::Write;
use std::path::Path;
use words::{Clock, value};

/// Bytes with findings in them.
pub struct Corpus {
    /// Whole lines.
    pub bytes: Vec<u8>,
    /// How many findings were planted.
    pub findings: u64,
}

/// Returns logs of at least `bytes` bytes; the share `finding_share` of the lines are findings.
pub fn mixed(seed: u64, bytes: usize, finding_share: f64) -> Corpus {
    lines(Rng::new(seed), bytes, |rng, _| rng.happens(finding_share))
}

/// Returns logs of at least `bytes` bytes; the first line and every second one after it is a finding.
pub fn dense(seed: u64, bytes: usize) -> Corpus {
    lines(Rng::new(seed), bytes, |_, line| line.is_multiple_of(2))
}

/// Writes `files` logs of together at least `total_bytes` bytes below `dir`, a hundred in a folder; one line
/// in 500 is a finding. Returns how many were planted.
pub fn small_files(seed: u64, dir: &Path, files: usize, total_bytes: usize) -> u64 {
    let mut findings = 0;
    for file in 0..files {
        let folder = dir.join(format!("{:03}", file / 100));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let corpus = mixed(seed.wrapping_add(file as u64), total_bytes.div_ceil(files), 0.002);
        let path = folder.join(format!("worker-{file:05}.log"));
        std::fs::write(path, &corpus.bytes).expect("a file can be written");
        findings += corpus.findings;
    }
    findings
}

/// Returns a migration resource as a pretty JSON document with `findings` messages, eight to a database.
///
/// # Panics
///
/// If it would be too large to be read as a document.
pub fn json_document(seed: u64, findings: u64) -> Corpus {
    let (mut rng, mut clock, mut out) = (Rng::new(seed), Clock::new(), String::new());
    out.push_str(
        "{\n  \"id\": \"/subscriptions/2f8c1d6e-6031-4047-9b3a-7c5e90603405/migrations/cutover-603107\",\n",
    );
    out.push_str("  \"properties\": {\n    \"currentStatus\": {\n      \"currentSubStateDetails\": {\n");
    out.push_str("        \"validationDetails\": {\n          \"dbLevelValidationDetails\": [");
    for database in 0..findings.div_ceil(8) {
        let (name, started) = (value("database", &mut rng), clock.tick(&mut rng, 'T'));
        let _ = write!(out, "{}\n            {{\n", if database > 0 { "," } else { "" });
        let _ = writeln!(out, "              \"databaseName\": \"{name}_{database}\",");
        let _ = writeln!(out, "              \"startedOn\": \"{}.603105+00:00\",", &started[..19]);
        out.push_str("              \"summary\": [\n                {\n                  \"messages\": [");
        for message in 0..(findings - database * 8).min(8) {
            let text = Finding::new(&mut rng).titled().replace('"', "\\\"");
            let comma = if message > 0 { "," } else { "" };
            let _ = write!(
                out,
                "{comma}\n                    {{\n                      \"message\": \"{text}\","
            );
            out.push_str("\n                      \"state\": \"Failed\"\n                    }");
        }
        out.push_str("\n                  ],\n                  \"state\": \"Failed\",\n");
        out.push_str("                  \"type\": \"SchemaValidation\"\n                }\n              ]\n            }");
    }
    out.push_str("\n          ],\n          \"status\": \"Failed\"\n        }\n      },\n      \"state\": \"Failed\"\n");
    out.push_str("    },\n    \"migrationId\": \"7e603104-2a4b-4c1d-8e60-603105603107\"\n  }\n}\n");
    assert!(out.len() as u64 <= MAX_WHOLE_BYTES, "{findings} findings make no document");
    Corpus { bytes: out.into_bytes(), findings }
}

/// Returns lines until there are `bytes` bytes; `planted` decides for each, by its number, whether it is a
/// finding.
fn lines(mut rng: Rng, bytes: usize, mut planted: impl FnMut(&mut Rng, u64) -> bool) -> Corpus {
    let (mut clock, mut out) = (Clock::new(), String::with_capacity(bytes + 4096));
    let (mut findings, mut line) = (0, 0);
    while out.len() < bytes {
        if planted(&mut rng, line) {
            Finding::new(&mut rng).line(&mut out, &mut rng, &mut clock);
            findings += 1;
        } else {
            noise::line(&mut out, &mut rng, &mut clock);
        }
        line += 1;
    }
    Corpus { bytes: out.into_bytes(), findings }
}
