//! Outputs: formats that machines read back, several formats in one pass, and full disks.

use crate::{program, run, stderr, stdout, top};
use migsift::print::Format;
use migsift::text::is_hidden;
use pulldown_cmark::{self as md, Options, Parser, Tag};
use quick_xml::events::Event;
use std::collections::BTreeMap;
use std::path::Path;

/// Values that some format acts on: markup, formulas, quotes, control characters, marks that reverse text.
const HOSTILE: [&str; 10] = [
    "a|b](https://x.example)<script>alert(1)</script>",
    "@octocat #123 ![x](y) **b** ~~s~~ :tada: $x$",
    "=cmd|' /C calc'!A0;=1",
    "\u{ff1d}1+1 &amp; \"quoted\" \\ 'single'",
    "a\u{1b}[31mb\u{202e}c\u{9b}d\u{feff}",
    // Hidden characters of every kind: a soft hyphen, fillers, blanks of no width, selectors, annotations, tags.
    "a\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{200b}\u{2060}\u{3164}\u{fe0f}\u{ffa0}\u{fffa}\u{1d173}\u{e0041}b",
    "]]> --> <!-- \u{ffff}",
    "```sql ``` ` ``",
    "\\|\\\\| \\\"\\n",
    " +1 \t-1",
];

/// A folder with logs whose arguments, and a file whose name, are hostile.
fn hostile() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String = HOSTILE
        .iter()
        .map(|value| {
            // The value is quoted by a mark that it does not contain.
            let quote = if value.contains('`') { '\u{27}' } else { '`' };
            format!(
                "2024-06-06T21:42:53.039Z ERROR 603101: Database exists in target. Database {quote}{value}{quote} \
                 exists on the target server.\n"
            )
        })
        .collect();
    std::fs::write(folder.path().join("a.log"), lines).expect("writes");
    let name = if cfg!(windows) { "b.log" } else { "=b|`<i>\u{202e}.log" };
    let line = "603412: what is this\n";
    std::fs::write(folder.path().join(name), line).expect("writes");
    folder
}

fn scanned(path: &Path, args: &[&str]) -> String {
    let output = program().arg("scan").arg(path).args(args).output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    stdout(&output)
}

/// The arguments as the log has them.
fn arguments(path: &Path) -> Vec<String> {
    let records = scanned(path, &["-f", "ndjson"]);
    let records = records.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    records.filter_map(|record| Some(record["args"]["database"].as_str()?.to_string())).collect()
}

#[test]
fn no_format_prints_raw_what_its_readers_act_on() {
    let folder = hostile();
    assert!(arguments(folder.path()).len() >= HOSTILE.len() - 1, "{:?}", arguments(folder.path()));
    for format in Format::ALL {
        let printed = scanned(folder.path(), &["-f", format.name(), "-C", "3"]);
        let active = |c: char| is_hidden(c) && !matches!(c, '\n' | '\r') || c == '\u{ffff}';
        let raw: Vec<char> = printed.chars().filter(|c| active(*c)).collect();
        // Only XML cannot hold U+FFFF, and metrics have no argument that does.
        let may_hold = !matches!(format, Format::Junit | Format::Prometheus);
        let allowed = may_hold && raw.iter().all(|c| *c == '\u{ffff}');
        assert!(raw.is_empty() || allowed, "{}: {raw:?}", format.name());
    }
}

#[test]
fn csv_reads_back_and_starts_no_formula() {
    let folder = hostile();
    let want = arguments(folder.path());
    for (flags, guarded) in [(&["-f", "csv"][..], true), (&["-f", "csv", "--csv-raw"], false)] {
        let text = scanned(folder.path(), flags);
        assert!(text.ends_with("\r\n"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().expect("a header").clone();
        let column = header.iter().position(|name| name == "args.database").expect("the column");
        let rows: Vec<csv::StringRecord> =
            reader.records().collect::<Result<_, _>>().expect("rows of one length");
        let cells = rows.iter().flat_map(|row| row.iter()).flat_map(|cell| cell.split(';'));
        let formula = |cell: &str| {
            let cell = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
            cell.starts_with(['=', '+', '-', '@', '\u{ff1d}', '|', '%'])
        };
        assert_eq!(cells.filter(|cell| formula(cell)).count() == 0, guarded, "{text}");
        let got: Vec<&str> = rows.iter().map(|row| &row[column]).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(&want) {
            let want = migsift::print::safe::line(want);
            let without: String = got.chars().filter(|c| *c != '\'').collect();
            let same = if guarded { without == want.replace('\'', "") } else { *got == want };
            assert!(same, "{got} {want}");
        }
    }
}

/// A document of hostile arguments has the structure of one with plain arguments, and shows the arguments
/// unchanged.
#[test]
fn markdown_shows_hostile_arguments_as_text() {
    let folder = hostile();
    let text = scanned(folder.path(), &["-f", "markdown", "-C", "2"]);
    let (mut shown, mut headings, mut links, mut blocks, mut tasks) = (Vec::new(), 0, Vec::new(), 0, 0);
    let options = Options::all().difference(Options::ENABLE_SMART_PUNCTUATION);
    for event in Parser::new_ext(&text, options) {
        match event {
            md::Event::Text(part) | md::Event::Code(part) => shown.push(part.into_string()),
            md::Event::Start(Tag::Heading { .. }) => headings += 1,
            md::Event::Start(Tag::CodeBlock(_)) => blocks += 1,
            md::Event::Start(Tag::Link { dest_url, .. }) => links.push(dest_url.into_string()),
            md::Event::Start(
                Tag::Paragraph
                | Tag::Strong
                | Tag::List(None)
                | Tag::Item
                | Tag::Table(_)
                | Tag::TableHead
                | Tag::TableRow
                | Tag::TableCell,
            )
            | md::Event::End(_) => {}
            // The steps of the plan.
            md::Event::TaskListMarker(false) => tasks += 1,
            other => panic!("{other:?}: {text}"),
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&scanned(folder.path(), &["-f", "json"])).expect("JSON");
    let steps = json["plan"]["steps"].as_array().expect("a list");
    let commands = |step: &serde_json::Value| {
        let place = |command: &serde_json::Value| command["database"].clone();
        step["commands"].as_array().map_or(0, |all| all.chunk_by(|a, b| place(a) == place(b)).count())
    };
    assert_eq!(tasks, steps.len(), "{text}");
    let plan: usize = steps.iter().map(commands).sum();
    assert_eq!((headings, blocks, links), (5, 2 + plan, Vec::<String>::new()), "{text}");
    for argument in arguments(folder.path()) {
        let want = migsift::print::safe::line(&argument).into_owned();
        assert!(shown.contains(&want), "{want}: {text}");
    }
}

/// A test case: its class, name, result and text.
type Case = (String, String, String, String);

/// The counts of the suite and its test cases.
fn junit(text: &str) -> (BTreeMap<String, String>, Vec<Case>) {
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut counts, mut cases) = (BTreeMap::new(), Vec::<Case>::new());
    let mut open: Vec<String> = Vec::new();
    loop {
        let event = reader.read_event().expect("well-formed");
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.name().as_ref().to_string();
                let attributes: BTreeMap<String, String> = tag
                    .attributes()
                    .map(|attribute| {
                        let attribute = attribute.expect("well-formed");
                        let value =
                            attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).expect("resolves");
                        (attribute.key.as_ref().to_string(), value.into_owned())
                    })
                    .collect();
                match &*name {
                    "testsuite" => counts = attributes,
                    "testcase" => {
                        let value = |key: &str| attributes[key].clone();
                        cases.push((value("classname"), value("name"), "passed".into(), String::new()));
                    }
                    "failure" | "error" | "skipped" | "system-out" => {
                        let case = cases.last_mut().expect("in a case");
                        case.2 = name.clone();
                        case.3 = attributes.get("message").cloned().unwrap_or_default();
                    }
                    _ => {}
                }
                if matches!(event, Event::Start(_)) {
                    open.push(name);
                }
            }
            Event::End(_) => {
                open.pop().expect("open");
            }
            Event::Text(part)
                if open.last().is_some_and(|tag| matches!(&**tag, "failure" | "system-out")) =>
            {
                cases.last_mut().expect("in a case").3 += &part.xml10_content();
            }
            Event::GeneralRef(name) => {
                cases.last_mut().expect("in a case").3 +=
                    quick_xml::escape::resolve_xml_entity(name).expect("predefined");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty());
    (counts, cases)
}

#[test]
fn junit_has_a_case_for_every_entry_and_every_input_that_was_not_read() {
    let (counts, cases) = junit(&stdout(&run(&["scan", "tests/data/mixed.log", "-f", "junit"])));
    let of = |result: &str| {
        cases.iter().filter(|case| case.2 == result).map(|case| &case.1[..6]).collect::<Vec<_>>()
    };
    assert_eq!(of("failure"), ["603101", "603104", "603412"]);
    assert_eq!(of("system-out"), ["cdc-no"]);
    assert_eq!(cases.len(), 48, "the 47 entries, and the code that is none");
    assert_eq!(["tests", "failures", "errors", "skipped"].map(|name| &*counts[name]), ["48", "3", "0", "0"]);
    let text = &cases.iter().find(|case| case.1.starts_with("603101")).expect("the case").3;
    assert!(text.starts_with("2 findings, 2 failures: database: billing and 1 more"), "{text}");
    assert!(text.contains("at tests/data/mixed.log:5: Database 'orders' exists"), "{text}");
    assert!(text.contains("What to do: Ensure the target server doesn't have the database"), "{text}");

    // A test fails if its code counts for the exit code.
    for (on, failed) in [("warning", 4), ("unknown", 1), ("never", 0)] {
        let (counts, _) =
            junit(&stdout(&run(&["scan", "tests/data/mixed.log", "-f", "junit", "--fail-on", on])));
        assert_eq!((&*counts["tests"], &*counts["failures"]), ("48", &*failed.to_string()), "{on}");
    }
    // An entry that was not searched for is no test case.
    let (counts, _) =
        junit(&stdout(&run(&["scan", "tests/data/mixed.log", "-f", "junit", "--code", "603102"])));
    assert_eq!((&*counts["tests"], &*counts["failures"]), ("1", "0"));
    // With unread inputs, an entry that was not found is skipped, not passed.
    let (counts, cases) =
        junit(&stdout(&run(&["scan", "tests/data/mixed.log", "no-such.log", "-q", "-f", "junit"])));
    assert_eq!(["tests", "failures", "errors", "skipped"].map(|name| &*counts[name]), ["49", "3", "1", "44"]);
    let last = cases.last().expect("cases");
    assert_eq!((&*last.0, &*last.1, &*last.2), ("migsift.inputs", "no-such.log", "error"));
    assert!(last.3.starts_with("No such file"), "{}", last.3);
}

#[test]
fn junit_reads_back_hostile_arguments() {
    let folder = hostile();
    let (_, cases) = junit(&scanned(folder.path(), &["-f", "junit"]));
    let text = &cases.iter().find(|case| case.1.starts_with("603101")).expect("the case").3;
    for argument in arguments(folder.path()) {
        let want = migsift::print::safe::line(&argument).replace('\u{ffff}', "\\u{ffff}");
        assert!(text.contains(&format!("1x database: {want}\n")), "{want}: {text}");
    }
}

/// A page without the time at which it was written.
fn without_clock(text: &str) -> String {
    match text.split_once(", written <time") {
        Some((before, rest)) => {
            let (_, after) = rest.split_once("</time>").expect("the end of the time");
            format!("{before}{after}")
        }
        None => text.to_string(),
    }
}

#[test]
fn reports_of_one_pass_equal_those_of_separate_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let formats: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    let path = |format: &str| folder.path().join(format).to_string_lossy().into_owned();
    for main in ["human", "ndjson"] {
        let mut args =
            vec!["scan".to_string(), "samples".into(), "-f".into(), main.into(), "-C".into(), "1".into()];
        for format in &formats {
            args.extend(["--report".to_string(), format!("{format}={}", path(format))]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = run(&args);
        assert_eq!((output.status.code(), stderr(&output)), (Some(1), String::new()));
        for format in &formats {
            let want = stdout(&run(&["scan", "samples", "-f", format, "-C", "1"]));
            let got = std::fs::read_to_string(path(format)).expect("reads");
            assert_eq!(without_clock(&got), without_clock(&want), "{format}");
            assert!(*format != main || stdout(&output) == want);
        }
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        formats.len(),
        "no other file is left"
    );
    // A scan of the folder skips the reports that migsift wrote.
    let again = stdout(&run(&["scan", &folder.path().to_string_lossy(), "-f", "prometheus"]));
    assert!(again.contains(&format!("migsift_inputs{{status=\"skipped\"}} {}\n", formats.len())), "{again}");
}

#[test]
fn two_outputs_to_one_file_are_a_usage_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (file, same) = (name("r"), name("./r"));
    std::fs::write(&file, "old").expect("writes");
    for args in [
        ["--report".to_string(), format!("json={file}"), "-o".into(), same.clone()],
        ["--report".to_string(), format!("json={file}"), "--report".into(), format!("csv={same}")],
        [
            "--report".to_string(),
            format!("json={}", name("new")),
            "--report".into(),
            format!("csv={}", name("./new")),
        ],
    ] {
        let output = program().args(["scan", "samples"]).args(&args).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains("two outputs to the same file"), "{}", stderr(&output));
    }
    assert_eq!(std::fs::read_to_string(&file).expect("reads"), "old");
    for wrong in ["json", "yaml=x", "json=", "json=-"] {
        assert_eq!(run(&["scan", "samples", "--report", wrong]).status.code(), Some(2), "{wrong}");
    }
}

/// With a full disk the exit code is 4, the old file stays and the other outputs are whole.
#[cfg(target_os = "linux")]
#[test]
fn an_output_that_fails_leaves_the_others_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    for (full, format) in [("json", "csv"), ("ndjson", "json"), ("csv", "ndjson"), ("junit", "markdown")] {
        let report = format!("{full}=/dev/full");
        let other = format!("{format}={}", path(format));
        let output = run(&["scan", "samples", "-f", "csv", "--report", &report, "--report", &other]);
        assert_eq!(output.status.code(), Some(4), "{full}");
        assert_eq!(stderr(&output), "migsift: cannot write /dev/full: No space left on device\n");
        assert_eq!(stdout(&output), stdout(&run(&["scan", "samples", "-f", "csv"])));
        let want = stdout(&run(&["scan", "samples", "-f", format]));
        assert_eq!(std::fs::read_to_string(path(format)).expect("reads"), want);
    }
    // A limit on the size of files acts like a disk that fills up while a report is written.
    let before = std::fs::read_dir(folder.path()).expect("a folder").count();
    for format in ["json", "ndjson", "csv", "junit", "markdown"] {
        let target = path(&format!("old.{format}"));
        std::fs::write(&target, "old").expect("writes");
        // The signal of the limit is ignored, so that the call fails instead.
        for (ignored, named) in [
            ("", format!("-f {format} -o {target}")),
            ("trap '' XFSZ;", format!("--report {format}={target}")),
        ] {
            let script = format!("{ignored} ulimit -f 2; exec \"$0\" scan samples {named}");
            let program = env!("CARGO_BIN_EXE_migsift");
            let output =
                std::process::Command::new("sh").args(["-c", &script, program]).current_dir(top()).output();
            let output = output.expect("runs");
            assert_eq!(output.status.code(), Some(4), "{named}: {}", stderr(&output));
            assert!(stderr(&output).contains("File too large"), "{}", stderr(&output));
            assert_eq!(std::fs::read_to_string(&target).expect("reads"), "old", "{named}");
        }
    }
    let after = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(after, before + 5, "no other file is left");
}

/// A closed pipe ends its output and no other.
#[cfg(unix)]
#[test]
fn a_closed_pipe_leaves_the_other_reports_whole() {
    use std::io::Read;
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("many.log");
    let line = "2024-06-06T21:42:53.039Z ERROR 603104: Missing Replication Role.\n";
    std::fs::write(&log, line.repeat(20_000)).expect("writes");
    let target = folder.path().join("r.json");
    let mut child = program()
        .args(["scan", "-f", "ndjson", "--report", &format!("json={}", target.display())])
        .arg(&log)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("runs");
    let mut first = [0; 100];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("reads");
    let output = child.wait_with_output().expect("ends");
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&target).expect("reads")).expect("JSON");
    assert_eq!(report["totals"]["findings"], 20_000);
}

#[test]
fn lines_around_findings_are_bounded_and_appear_on_request() {
    let args = ["scan", "tests/data/mixed.log", "-f", "ndjson"];
    let plain = stdout(&run(&args));
    assert!(!plain.contains("\"before\""));
    let with = stdout(&run(&[&args[..], &["-C", "1"]].concat()));
    let text = std::fs::read_to_string(top().join("tests/data/mixed.log")).expect("reads");
    let lines: Vec<&str> = text.lines().collect();
    let mut findings = 0;
    for record in with.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")) {
        if record["type"] != "finding" {
            continue;
        }
        findings += 1;
        let line = record["line"].as_u64().expect("a line") as usize;
        let before: Vec<&str> = (line > 1).then(|| lines[line - 2]).into_iter().collect();
        let after: Vec<&str> = lines.get(line).copied().into_iter().collect();
        assert_eq!((&record["before"], &record["after"]), (&before.into(), &after.into()));
    }
    assert_eq!(findings, 5);
    let human = stdout(&run(&["scan", "tests/data/mixed.log", "-C", "1", "--code", "603412"]));
    assert!(
        human.contains("  tests/data/mixed.log:3\n    | ") && human.contains("\n    > 603412\n    | "),
        "{human}"
    );
    for wrong in ["101", "-1", "x"] {
        assert_eq!(run(&["scan", "samples", "-C", wrong]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn the_program_makes_its_own_completions_and_manual() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("context-lines") && stdout(&output).contains("migsift"), "{shell}");
    }
    assert_eq!(run(&["completions", "tcsh"]).status.code(), Some(2));
    let page = stdout(&run(&["man"]));
    let help = stdout(&run(&["scan", "--help"]));
    let flags = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 3);
    for flag in flags.map(|flag| flag.split('[').next().unwrap_or_default()) {
        let flag = flag.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let flag = flag.replace('-', "\\-");
        assert!(flag == "\\-\\-help" || page.contains(&flag), "the manual lacks {flag}");
    }
    for part in [".SH \"MIGSIFT SCAN\"", ".SH \"MIGSIFT CATALOG IMPORT\"", ".SH \"EXIT STATUS\"", ".SH FILES"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(page.is_ascii(), "it can be typeset anywhere");
}
