//! Measures the stages: noise alone, sparse and dense findings, a document, files, one line, a catalogue, a
//! larger one.
//!
//! Every bench makes a corpus with a known number of findings, asserts that the count is right, and only then
//! measures the time. Matching runs on one thread, over windows as large as those of a scan; files are
//! scanned as by the program, with one thread per core. Run one group with
//! `cargo bench --bench stages -- sparse`; without optimisation, as in `cargo test --benches`, the corpora are
//! a fraction of their size.

mod generator;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use generator::Corpus;
use migsift::catalog::{Catalog, builtin, parse};
use migsift::context;
use migsift::finding::Builder;
use migsift::input::{Walk, WalkOptions, Window, walk};
use migsift::matcher::{Match, Matcher, bounds};
use migsift::scan::{Options, Progress, WINDOW_BYTES, scan};
use migsift::source::Origin;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

/// The seed of every corpus; results with another seed cannot be compared.
const SEED: u64 = 0x6031_0400;
/// How much smaller corpora are in builds without optimisation.
const SHRINK: usize = if cfg!(debug_assertions) { 64 } else { 1 };
/// The size of a large log.
const LARGE: usize = (64 << 20) / SHRINK;
/// The size of a log full of findings.
const DENSE: usize = (16 << 20) / SHRINK;
/// The number of small files, and their size together.
const FILES: (usize, usize) = (2_000 / SHRINK, (16 << 20) / SHRINK);
/// The number of entries of a catalogue that has grown.
const GROWN: usize = 600;

/// Returns the number of matches in `bytes`, window by window.
fn count(matcher: &Matcher, bytes: &[u8]) -> u64 {
    windows(bytes).map(|window| matcher.scan(&window).len() as u64).sum()
}

/// Returns the matches in `bytes`, window by window.
fn matches(matcher: &Matcher, bytes: &[u8]) -> Vec<Match> {
    windows(bytes).flat_map(|window| matcher.scan(&window)).collect()
}

fn windows(bytes: &[u8]) -> impl Iterator<Item = Window<'_>> {
    (0..bytes.len()).step_by(WINDOW_BYTES).map(|start| {
        let end = bytes.len().min(start + WINDOW_BYTES);
        let from = start.saturating_sub(bounds::MARGIN);
        let to = bytes.len().min(end + bounds::MARGIN);
        let core = start - from..end - from;
        Window { bytes: &bytes[from..to], base: from as u64, core, whole: None }
    })
}

/// Builds the findings of a document and returns how many know their database.
fn with_database(builder: &Builder<'_>, bytes: &[u8]) -> u64 {
    let window = Window::whole(bytes);
    let utc = jiff::tz::TimeZone::UTC;
    let reader = context::ContextReader::new(&window, &utc);
    let found = builder.matcher.scan(&window);
    let findings = found.iter().map(|found| builder.build(found, &window, &reader, 1));
    findings.filter(|finding| finding.context.database.is_some()).count() as u64
}

fn logs(c: &mut Criterion) {
    let matcher = Matcher::new(builtin());
    let mut bench = |name: &str, corpus: Corpus| {
        assert_eq!(count(&matcher, &corpus.bytes), corpus.findings, "{name}");
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(corpus.bytes.len() as u64)).sampling_mode(SamplingMode::Flat);
        group.bench_function("matcher", |b| b.iter(|| count(&matcher, black_box(&corpus.bytes))));
        group.finish();
    };
    bench("stage1", generator::mixed(SEED, LARGE, 0.0));
    bench("sparse", generator::mixed(SEED, LARGE, 0.0005));
    bench("dense", generator::dense(SEED, DENSE));
}

fn json_document(c: &mut Criterion) {
    let matcher = Matcher::new(builtin());
    let corpus = generator::json_document(SEED, 10_000 / SHRINK as u64);
    let builder =
        Builder { matcher: &matcher, origin: Arc::new(Origin::path("migration-show.json".as_ref())) };
    let window = Window::whole(&corpus.bytes);
    assert_eq!(matcher.scan(&window).len() as u64, corpus.findings);
    assert_eq!(with_database(&builder, &corpus.bytes), corpus.findings);
    let mut group = c.benchmark_group("json document");
    group.throughput(Throughput::Bytes(corpus.bytes.len() as u64)).sampling_mode(SamplingMode::Flat);
    group.bench_function("matcher", |b| b.iter(|| matcher.scan(black_box(&window))));
    group.bench_function("findings", |b| b.iter(|| with_database(&builder, black_box(&corpus.bytes))));
    group.finish();
}

/// Scans `walk`; returns the number of findings and of bytes.
fn scanned(matcher: &Matcher, walk: &Walk, options: &Options) -> (u64, u64) {
    let outcome = scan(matcher, walk, options, None, &Progress::default()).expect("threads can be made");
    assert!(outcome.inputs.complete(), "{:?}", outcome.inputs.problems);
    (outcome.summary.findings(), outcome.inputs.bytes)
}

fn scan_files(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("there is a temporary folder");
    let large = generator::mixed(SEED, LARGE, 0.0005);
    std::fs::write(dir.path().join("large.log"), &large.bytes).expect("a file can be written");
    let small = generator::small_files(SEED, &dir.path().join("small"), FILES.0, FILES.1);
    let findings = large.findings + small;
    drop(large);
    let (matcher, walk) =
        (Matcher::new(builtin()), walk(&[dir.path().to_path_buf()], &WalkOptions::default()));
    let mut group = c.benchmark_group("scan files");
    group.sampling_mode(SamplingMode::Flat);
    for (name, mmap) in [("mmap", true), ("read", false)] {
        let options = Options::default().with(|options| options.mmap = mmap);
        let (found, bytes) = scanned(&matcher, &walk, &options);
        assert_eq!(found, findings, "{name}");
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |b| b.iter(|| scanned(&matcher, &walk, &options)));
    }
    group.finish();
}

fn line_and_catalogue(c: &mut Criterion) {
    let line = generator::dense(SEED, 1);
    let window = Window::whole(&line.bytes);
    let compile = || Matcher::new(black_box(builtin()));
    let matcher = compile();
    assert_eq!(matcher.scan(&window).len() as u64, line.findings);
    let mut group = c.benchmark_group("stage2 line");
    group.throughput(Throughput::Bytes(line.bytes.len() as u64));
    group.bench_function("matcher", |b| b.iter(|| matcher.scan(black_box(&window))));
    group.finish();
    c.bench_function("compile catalogue", |b| b.iter(compile));
}

/// Matches the sparse log with the built-in catalogue and with one that has grown: the matches are the same.
fn growth(c: &mut Criterion) {
    let corpus = generator::mixed(SEED, LARGE, 0.0005);
    let builtin = Matcher::new(builtin());
    let larger = larger();
    let grown = Matcher::new(&larger);
    let found = matches(&builtin, &corpus.bytes);
    assert_eq!(found.len() as u64, corpus.findings);
    assert!(matches(&grown, &corpus.bytes) == found, "a larger catalogue finds something else");
    let mut group = c.benchmark_group("growth");
    group.throughput(Throughput::Bytes(corpus.bytes.len() as u64)).sampling_mode(SamplingMode::Flat);
    for (name, matcher) in [("builtin", &builtin), ("600 entries", &grown)] {
        group.bench_function(name, |b| b.iter(|| count(matcher, black_box(&corpus.bytes))));
    }
    group.finish();
    c.bench_function("compile 600 entries", |b| b.iter(|| Matcher::new(black_box(&larger))));
}

/// Returns the built-in catalogue with generated entries up to [`GROWN`]; the built-in ones keep their
/// indices.
fn larger() -> Catalog {
    let mut catalog = builtin().clone();
    let text = generator::catalogue(SEED, GROWN - catalog.entries.len());
    catalog.add(parse("generated.toml", &text).expect("what is generated parses"));
    assert_eq!((catalog.entries.len(), catalog.replaced.len()), (GROWN, 0));
    catalog
}

criterion_group! {
    name = stages;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(4));
    targets = logs, json_document, scan_files, line_and_catalogue, growth
}
criterion_main!(stages);
