//! Injection: text in arguments, paths and members that is made to act on the reader of the output, in every
//! format.

use super::BOUNDS;
use crate::bundles::zip::{DEFLATE, Zip, member};
use crate::bundles::{Folder, line};
use migsift::text::is_hidden;
use std::process::{Command, Stdio};

/// Each with what it does if it is printed raw.
const HOSTILE: [(&str, &str); 22] = [
    ("colours", "a\u{1b}[31mb"),
    ("clears the screen", "a\u{1b}[2J\u{1b}[Hb"),
    ("sets the title", "a\u{1b}]0;pwned\u{7}b"),
    ("writes the clipboard", "a\u{1b}]52;c;cm0gLXJm\u{7}b"),
    ("a link of a terminal", "a\u{1b}]8;;https://x.example\u{1b}\\b"),
    ("a control of one byte", "a\u{9b}2Jb"),
    ("moves back", "harmless\u{8}\u{8}\u{8}\u{8}x"),
    ("a carriage return hides what is before it", "evil\rgood"),
    ("turns text around", "a\u{202e}gnp.exe\u{202c}"),
    ("isolates", "a\u{2066}b\u{2069}"),
    ("is invisible", "a\u{200b}\u{200d}\u{2060}\u{feff}b"),
    ("ends a line for some", "a\u{2028}b\u{85}c"),
    ("a script", "<script>alert(1)</script>"),
    ("a handler", "\"><img src=x onerror=alert(1)>"),
    ("ends CDATA and comments", "]]> --> <!--"),
    ("a formula", "=cmd|'/C calc'!A0"),
    ("a formula after a blank", " @SUM(1+1)*cmd"),
    ("a link of Markdown", "[x](https://x.example) ![y](z)"),
    ("rows of a table", "a|b\\|c"),
    ("fences", "```\n# h"),
    ("ends a label", "a\"} 1\nmigsift_findings 0"),
    ("ends JSON", "\",\"x\":{\"y\":[}"),
];

const FORMATS: [&str; 8] = ["json", "human", "ndjson", "csv", "markdown", "html", "junit", "prometheus"];

/// What a scan printed, by format, and its messages.
struct Printed {
    code: Option<i32>,
    outputs: Vec<(&'static str, Vec<u8>)>,
    messages: Vec<u8>,
}

/// Scans `folder` once, with the first of `formats` on standard output and the others in files.
fn scan(folder: &Folder, formats: &[&'static str]) -> Printed {
    let program = env!("CARGO_BIN_EXE_migsift");
    let mut command = if cfg!(unix) { Command::new("sh") } else { Command::new(program) };
    if cfg!(unix) {
        command.args(["-c", BOUNDS, program]);
    }
    command.arg("scan").arg(folder.path()).args(["-f", formats[0], "-C", "2", "--color", "never", "-v"]);
    let reports = Folder::new();
    for format in &formats[1..] {
        command.args(["--report", &format!("{format}={}", reports.path().join(format).display())]);
    }
    let output = command.stdin(Stdio::null()).output().expect("runs");
    let files = formats[1..].iter().map(|format| {
        (
            *format,
            std::fs::read(reports.path().join(format)).unwrap_or_else(|_| panic!("{format}: no report")),
        )
    });
    let outputs = std::iter::once((formats[0], output.stdout)).chain(files).collect();
    Printed { code: output.status.code(), outputs, messages: output.stderr }
}

/// Whether a document has markup that came from a log.
fn holds_markup(format: &str, text: &str) -> bool {
    let log = |page: &str| page.split("<style>").next().unwrap_or_default().len();
    match format {
        "html" => {
            let body = &text[log(text)..];
            body.contains("<img") || body.contains("<script>alert") || body.contains("onerror=alert(1)>")
        }
        "junit" => text.contains("<script") || text.contains("<img") || text.contains("]]>"),
        "prometheus" => text.lines().any(|line| line == "migsift_findings 0"),
        _ => false,
    }
}

#[test]
fn nothing_acts_in_any_format() {
    let mut failed = Vec::new();
    for (what, text) in HOSTILE {
        let folder = Folder::new();
        let quote = if text.contains('`') { '\'' } else { '`' };
        let message = line("X").replace("`X`", &format!("{quote}{}{quote}", text.replace('\n', " ")));
        folder.write("a.log", &message);
        let names = [member(text, DEFLATE, line("b")), member(format!("d/{text}"), DEFLATE, "nothing")];
        folder.write("b.zip", Zip::new(names).bytes());
        if cfg!(unix) {
            folder.write(&text.replace('/', "_"), "603412: what is this\n");
            // An input that is not read, so that its path is among the problems.
            folder.write(&format!("{}.gz", text.replace('/', "_")), b"\x1f\x8b\x08");
        }
        let printed = scan(&folder, &FORMATS);
        let report: serde_json::Value = serde_json::from_slice(&printed.outputs[0].1).expect("JSON");
        let want = if cfg!(unix) { (3, 3) } else { (1, 2) };
        let got = (printed.code.unwrap_or(-1), report["totals"]["findings"].as_u64().unwrap_or(0));
        if got != want {
            failed.push(format!("{what}: {got:?}, not {want:?}: {report:#}"));
        }
        // A terminal's format has other messages.
        let human = scan(&folder, &["human"]);
        let messages = [("messages", printed.messages), ("messages", human.messages)];
        for (format, bytes) in printed.outputs.into_iter().chain(human.outputs).chain(messages) {
            let text = String::from_utf8(bytes).expect("UTF-8");
            let raw = text.chars().find(|c| is_hidden(*c) && !matches!(c, '\n' | '\r'));
            // Only CSV ends its lines with both.
            let alone = text.replace("\r\n", "").contains('\r');
            if raw.is_some() || alone || holds_markup(format, &text) {
                failed.push(format!("{what}: {format}: {raw:?}"));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
