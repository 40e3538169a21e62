//! The invariants of the pipeline as properties: neither where windows are cut, nor the order in which
//! summaries are merged, nor the number of threads changes a result.

use crate::oracle::windows::{in_window, in_windows};
use crate::oracle::{findings, matcher};
use migsift::catalog::{ArgValue, Template, builtin};
use migsift::context::State;
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::input::{WalkOptions, Window, walk};
use migsift::scan::{Options, Outcome, Progress, Sink, scan};
use migsift::summary::{ArgSet, MAX_ARG_SETS, MAX_DATABASES, MAX_NAMES, MAX_SERVERS, Summary};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// A piece of a log: a message in one of several containers, a code alone, noise, a long line, a line break
/// or garbage.
pub fn piece() -> impl Strategy<Value = Vec<u8>> {
    let entry = || (0..builtin().entries.len(), 0usize..5, any::<bool>());
    let message = entry().prop_map(|(index, container, quoted)| {
        let entry = &builtin().entries[index];
        let text = Template::fill(entry.wordings.first().map_or("", |wording| &wording.text), |name| {
            let value = if name.contains("version") || name.contains("min") || name.contains("max") {
                "12"
            } else {
                "a_b"
            };
            if quoted { format!("'{value}'") } else { value.to_string() }
        });
        let code = entry.code.as_deref().unwrap_or("none");
        match container {
            0 => format!("2024-06-06T21:42:53.039Z\torders\t62\tx.c\tERROR\t {text}\n"),
            1 => format!("Error {code}: {} {text}\n", entry.title),
            2 => format!(
                "{{\"message\": {}, \"code\": \"{code}\"}}\n",
                serde_json::to_string(&text).expect("JSON")
            ),
            3 => text.replace(' ', "\n> "),
            _ => format!("{text} (error code {code})"),
        }
        .into_bytes()
    });
    prop_oneof![
        6 => message,
        2 => "(603[0-9]{3}[: ]|error code 603405|\\[603104\\] )".prop_map(String::into_bytes),
        2 => "[a-z \\{\\}\",:\n]{0,80}".prop_map(String::into_bytes),
        1 => (1usize..40_000).prop_map(|len| b"x y ".repeat(len / 4)),
        1 => Just(b"2024-06-06 21:42:53.603105 603405 INFO copied 603104 rows\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        2 => Just(b"\n".to_vec()),
    ]
}

pub fn log(pieces: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..pieces).prop_map(|pieces| pieces.concat())
}

fn summary(findings: &[Finding], source: u32) -> Summary {
    let mut summary = Summary::default();
    for finding in findings {
        summary.add(finding, builtin().entry(&finding.id).map(|entry| &**entry), source);
        summary.sample(finding);
    }
    summary
}

fn merged(parts: impl IntoIterator<Item = Summary>) -> Summary {
    parts.into_iter().fold(Summary::default(), |mut sum, part| {
        sum.merge(part);
        sum
    })
}

/// Keeps all findings.
#[derive(Default)]
struct All(Vec<Finding>);

impl Sink for All {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        self.0.push(finding.clone());
        Ok(())
    }
}

/// Returns the outcome of a scan and its findings, after checking that a scan without a sink has the same
/// outcome.
fn scan_file(path: &Path, options: &Options) -> (Outcome, Vec<Finding>) {
    let walk = walk(&[path.to_path_buf()], &WalkOptions::default());
    let mut all = All::default();
    let outcome = scan(matcher(), &walk, options, Some(&mut all), &Progress::default()).expect("scans");
    let silent = scan(matcher(), &walk, options, None, &Progress::default()).expect("scans");
    assert_eq!((&silent.summary, &silent.inputs), (&outcome.summary, &outcome.inputs));
    (outcome, all.0)
}

proptest! {
    // Each case scans up to a few hundred kilobytes many times over.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 6))]

    /// Cut invariance: any cut into windows has the same matches and the same lines around them.
    #[test]
    fn windows_can_be_cut_anywhere(
        bytes in log(60),
        core in 1usize..60_000,
        lines in prop_oneof![Just(0), 1usize..4, Just(100)],
    ) {
        let whole = in_window(&Window::whole(&bytes), lines);
        prop_assert_eq!(in_windows(&bytes, core.max(bytes.len() / 400), lines), whole);
    }

    /// Cut invariance where everything is on one line, far longer than the matcher reads around a hit.
    #[test]
    fn long_lines_can_be_cut_anywhere(bytes in log(400), core in 1_000usize..60_000, joint in prop_oneof![Just(b' '), Just(b',')]) {
        let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == b'\n' { joint } else { byte }).collect();
        prop_assert_eq!(in_windows(&bytes, core, 0), in_window(&Window::whole(&bytes), 0));
    }

    /// Cut invariance of a whole scan: threads, window size, mapping and streaming change neither findings
    /// nor the lines around them.
    #[test]
    fn threads_windows_and_mapping_change_nothing(
        bytes in log(40),
        core in 500usize..50_000,
        threads in 1usize..5,
        context_lines in prop_oneof![Just(0), 1usize..4, Just(100)],
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.log");
        std::fs::write(&path, &bytes).expect("writes");
        let (want, all) = scan_file(&path, &Options::default().with(|options| {
            (options.threads, options.context_lines) = (1, context_lines);
        }));
        prop_assert_eq!(want.inputs.bytes, bytes.len() as u64);
        let shown = |finding: &Finding| finding.context_lines.is_some() == (context_lines > 0);
        prop_assert!(all.iter().all(shown));
        for mmap in [true, false] {
            let window_bytes = Some(core);
            let options = Options::default().with(|options| {
                (options.threads, options.mmap) = (threads, mmap);
                (options.window_bytes, options.context_lines) = (window_bytes, context_lines);
            });
            let (got, found) = scan_file(&path, &options);
            prop_assert_eq!(&got.summary, &want.summary);
            prop_assert_eq!(&got.inputs, &want.inputs);
            prop_assert_eq!(&found, &all);
        }
    }

    /// Merging is associative and commutative, and an empty summary changes nothing.
    #[test]
    fn summaries_add_up_in_any_order(bytes in log(30), cut_a in 0usize..20, cut_b in 0usize..20) {
        let all = findings(&bytes);
        let (a, b) = (cut_a.min(all.len()), cut_b.min(all.len()));
        let (low, high) = (a.min(b), a.max(b));
        let parts = [summary(&all[..low], 1), summary(&all[low..high], 2), summary(&all[high..], 3)];
        let [x, y, z] = parts;
        let want = merged([x.clone(), y.clone(), z.clone()]);
        prop_assert_eq!(&merged([z.clone(), x.clone(), y.clone()]), &want);
        prop_assert_eq!(&merged([x.clone(), merged([y.clone(), z.clone()])]), &want);
        prop_assert_eq!(&merged([x, Summary::default(), y, z]), &want);
    }

    /// A failure is a distinct pair of arguments and database. A finding without a database is the failure
    /// that has the same arguments, if there is one. The order of the findings and the merging of parts
    /// change nothing.
    #[test]
    fn failures_are_counted_once(
        drawn in prop::collection::vec((0u8..4, prop::option::of(0u8..3), prop::option::of(0u8..3)), 0..40),
        cut in 0usize..40,
        seed in any::<u64>(),
    ) {
        let template = findings(b"Error 603101: Database exists in target.").remove(0);
        let all: Vec<Finding> = drawn.iter().zip(0u64..).map(|((args, database, server), offset)| {
            let mut finding = template.clone();
            finding.args = vec![("database".into(), ArgValue::One(format!("arg{args}")))];
            finding.context.database = database.map(|database| format!("db{database}"));
            finding.context.server = server.map(|server| format!("server{server}"));
            finding.offset = offset;
            finding
        }).collect();
        let placed: BTreeSet<(u8, u8)> = drawn.iter().filter_map(|(args, db, _)| Some((*args, (*db)?))).collect();
        let lone: BTreeSet<u8> = drawn.iter().map(|(args, _, _)| *args)
            .filter(|args| !placed.iter().any(|(known, _)| known == args)).collect();
        let want = summary(&all, 1);
        let mut mixed = all.clone();
        mixed.sort_by_key(|finding| xxhash_rust::xxh3::xxh3_64_with_seed(&finding.offset.to_le_bytes(), seed));
        let (x, y) = mixed.split_at(cut.min(mixed.len()));
        prop_assert_eq!(&merged([summary(x, 1), summary(y, 1)]), &want);
        if let Some(code) = want.codes.get("603101") {
            prop_assert_eq!(code.failures(), (placed.len() + lone.len()) as u64);
            // The counts of the sets add up to that of the code, as reports show them.
            prop_assert_eq!(code.args.values().map(ArgSet::failures).sum::<u64>(), code.failures());
            let named = drawn.iter().filter(|(_, _, server)| server.is_some()).count() as u64;
            prop_assert_eq!(code.servers.values().sum::<u64>(), named);
        }
    }

    /// Offset and length of every finding are those of bytes in the source.
    #[test]
    fn spans_are_in_the_source(bytes in log(30)) {
        for finding in findings(&bytes) {
            prop_assert!(finding.length > 0);
            prop_assert!(finding.offset + finding.length <= bytes.len() as u64);
            prop_assert!(finding.text.chars().count() <= 1024);
        }
    }
}

/// Cut invariance where one code is repeated on a long line: near mentions are one finding, a chain of them
/// counts once however long it is, and mentions that are too far apart count each.
#[test]
fn mentions_of_one_code_on_a_line_are_cut_alike() {
    let line =
        |gap: usize, mentions: usize| ["error code 603405 ", &"x ".repeat(gap / 2)].concat().repeat(mentions);
    for (gap, mentions, want) in [(20, 3, 1), (3_000, 6, 1), (3_000, 40, 1), (5_000, 2, 2), (15_000, 3, 3)] {
        let bytes = line(gap, mentions).into_bytes();
        let whole = in_window(&Window::whole(&bytes), 0);
        assert_eq!(whole.len(), want, "{mentions} mentions {gap} bytes apart");
        for core in [500, 2_900, 4_096, 10_000, 16_001] {
            assert_eq!(
                in_windows(&bytes, core, 0),
                whole,
                "{mentions} mentions {gap} bytes apart, cut at {core}"
            );
        }
    }
}

/// Merging where collections are truncated: those with the smallest hashes are kept in any order, and the
/// truncation is flagged.
#[test]
fn truncated_summaries_add_up_in_any_order() {
    let text = "603101: Database exists in target. Database `a` exists on the target server.";
    let template = findings(text.as_bytes()).remove(0);
    let all: Vec<Finding> = (0..MAX_ARG_SETS + 2_000)
        .map(|i| {
            let mut finding = template.clone();
            finding.args = vec![("database".into(), ArgValue::One(format!("db{i}")))];
            finding.offset = i as u64;
            finding
        })
        .collect();
    let (x, y) = (summary(&all[..5_000], 1), summary(&all[5_000..], 1));
    let want = summary(&all, 1);
    assert_eq!(merged([x.clone(), y.clone()]), want);
    assert_eq!(merged([y, x]), want);
    let code = &want.codes["603101"];
    assert_eq!((code.args.len(), code.args_distinct.count()), (MAX_ARG_SETS, all.len() as u64));
    assert!(code.args_truncated() && !code.args_distinct.truncated);
}

/// Merging where the names around findings are truncated: databases of one set, servers, states.
#[test]
fn truncated_names_add_up_in_any_order() {
    let template = findings(b"Error 603107: GUC Settings Error.").remove(0);
    let count = MAX_DATABASES + 500;
    let all: Vec<Finding> = (0..2 * count)
        .map(|i| {
            let mut finding = template.clone();
            finding.context.database = Some(format!("db{}", i % count));
            finding.context.server = Some(format!("server{}", i % count));
            finding.context.state = Some(State::from(&*format!("state{}", i % count)));
            finding.offset = i as u64;
            finding
        })
        .collect();
    let want = summary(&all, 1);
    let (x, y) = (summary(&all[..count / 2], 1), summary(&all[count / 2..], 1));
    assert_eq!(merged([x.clone(), y.clone()]), want);
    assert_eq!(merged([y, x]), want);
    let code = &want.codes["603107"];
    assert_eq!(code.failures(), count as u64);
    let set = code.args.values().next().expect("a set");
    assert!(set.databases_truncated() && set.databases.len() == MAX_DATABASES);
    assert!(code.servers.len() == MAX_SERVERS && code.servers.values().all(|count| *count == 2));
    assert!(want.migration.states.truncated && want.migration.states.kept.len() == MAX_NAMES);
}
