//! Measures how the time of a scan grows with its input, for inputs of every structure that could make it grow faster.
//!
//! `cargo bench --bench shapes -- BYTES [NAME]` scans each shape, or those whose name has `NAME` in it, with `BYTES`, twice
//! and four times as many bytes (with K or M, at most 4M: what is larger is no longer read as one document). It prints the
//! times and the ratios, and fails if twice the bytes take more than 2.3 times the time. `write BYTES FOLDER` writes the
//! inputs instead. Without arguments nothing happens.

#![allow(clippy::print_stdout)]

#[path = "generator/shapes.rs"]
mod shapes;

use migsift::catalog::builtin;
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::input::{WalkOptions, walk};
use migsift::matcher::Matcher;
use migsift::scan::{Options, Progress, scan};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The most that the time may grow if the input is twice as large.
const MAX_RATIO: f64 = 2.3;
/// How often a size is measured; the least time counts.
const ROUNDS: usize = 3;
/// How often a shape is measured again whose ratio is too large: another program may have been in the way.
const TRIALS: usize = 3;
/// Times below this are mostly those of opening files and starting threads.
const LEAST: Duration = Duration::from_millis(4);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", bytes, folder] => write(size(bytes), Path::new(folder)),
        [bytes] => return measure(size(bytes), ""),
        [bytes, name] => return measure(size(bytes), name),
        _ => {}
    }
    ExitCode::SUCCESS
}

fn size(text: &str) -> usize {
    let number = |text: &str| text.parse::<usize>().expect("a number of bytes, with K or M");
    match text.strip_suffix('M') {
        Some(text) => number(text) << 20,
        None => text.strip_suffix('K').map_or_else(|| number(text), |text| number(text) << 10),
    }
}

fn write(bytes: usize, folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder can be made");
    for shape in shapes::SHAPES {
        std::fs::write(folder.join(format!("{}.log", shape.name)), (shape.make)(bytes))
            .expect("a file can be written");
    }
}

/// Returns the least time that a scan of `bytes` takes on one thread, with the number of findings.
fn time(matcher: &Matcher, bytes: &[u8]) -> (Duration, u64) {
    let file = tempfile::NamedTempFile::new().expect("there is a temporary folder");
    std::fs::write(file.path(), bytes).expect("a file can be written");
    let walk = walk(&[file.path().to_path_buf()], &WalkOptions::default());
    let options = Options::default().with(|options| options.threads = 1);
    let mut least = (Duration::MAX, 0);
    for _ in 0..ROUNDS {
        let mut sink = |_: &Finding| Ok::<(), Error>(());
        let start = Instant::now();
        let outcome = scan(matcher, &walk, &options, Some(&mut sink), &Progress::default()).expect("scans");
        least = least.min((start.elapsed(), outcome.summary.findings()));
    }
    least
}

fn measure(bytes: usize, name: &str) -> ExitCode {
    let matcher = Matcher::new(builtin());
    let mut failed = 0;
    println!("{:45} {:>9} {:>8} {:>8} {:>8}  ratios", "shape", "findings", "1x", "2x", "4x");
    for shape in shapes::SHAPES.iter().filter(|shape| shape.name.contains(name)) {
        let mut good = false;
        for _ in 0..TRIALS {
            let times = [1, 2, 4].map(|factor| time(&matcher, &(shape.make)(factor * bytes)));
            let ratio =
                |i: usize| times[i].0.max(LEAST).as_secs_f64() / times[i - 1].0.max(LEAST).as_secs_f64();
            let [once, twice, four] = times.map(|(time, _)| format!("{:.3}s", time.as_secs_f64()));
            good = ratio(1) <= MAX_RATIO && ratio(2) <= MAX_RATIO;
            let mark = if good { "" } else { "  TOO MUCH" };
            let (findings, one, two) = (times[2].1, ratio(1), ratio(2));
            println!(
                "{:45} {findings:>9} {once:>8} {twice:>8} {four:>8}  {one:.2} {two:.2}{mark}",
                shape.name
            );
            if good {
                break;
            }
        }
        failed += usize::from(!good);
    }
    println!("{failed} of {} shapes grow too fast", shapes::SHAPES.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
