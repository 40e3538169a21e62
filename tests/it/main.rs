//! The integration tests, in one binary: what users see, invariants as properties, the catalogue's own
//! examples, and rules for the sources.

mod archives;
mod attempts;
mod bounds;
mod bundles;
mod catalogue;
mod claims;
mod cli;
mod containers;
mod damage;
mod declared;
mod determinism;
mod docs;
#[cfg(target_os = "linux")]
mod extremes;
#[cfg(target_os = "linux")]
mod faults;
mod found;
mod golden;
mod history;
mod hostile;
mod html;
mod imports;
mod invariants;
mod limits;
mod metrics;
mod nightly;
#[path = "../oracle/mod.rs"]
mod oracle;
mod outputs;
mod own_catalogue;
mod plans;
mod prose;
mod redaction;
mod reports;
mod samples;
mod schemas;
mod secrets;
mod shrinking;
mod store;
mod store_file;
#[cfg(unix)]
mod system;
mod tidy;
#[cfg(target_os = "linux")]
mod waiting;
mod walking;
mod zips;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the repository.
pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program, run in the root of the repository, without the environment's variables for colours.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migsift"));
    command.current_dir(top()).env_remove("NO_COLOR").env_remove("RUST_BACKTRACE");
    command
}

/// Runs the program with an empty standard input.
pub fn run(args: &[&str]) -> Output {
    program().args(args).stdin(std::process::Stdio::null()).output().expect("the program runs")
}

/// Scans a path.
pub fn scan(path: impl AsRef<Path>, args: &[&str]) -> Output {
    let mut command = program();
    command.arg("scan").arg(path.as_ref()).args(args);
    command.stdin(std::process::Stdio::null()).output().expect("the program runs")
}

/// Returns what the program printed on standard output.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Returns what the program printed on standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Reports that something is not checked on this machine, even if the output of tests is captured.
pub fn not_checked(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "NOT CHECKED: {what}");
}

/// Compares `got` with the file, or writes the file if `BLESS` is set.
pub fn compare(path: &Path, got: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, got).expect("the golden file can be written");
        return;
    }
    let want = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        got == want,
        "{} differs (BLESS=1 accepts it):\n--- want\n{want}\n--- got\n{got}",
        path.display()
    );
}

/// All files below `folder` with this ending, in order.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        // What cargo builds for the fuzz targets is not ours.
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, ending));
        } else if path.is_file() && path.extension().is_some_and(|known| known == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
