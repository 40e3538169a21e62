//! The documentation as users read it: README.md, CONTRIBUTING.md, the pages in `docs/` and what they link to.
//!
//! Every command on these pages is run ([`commands`]), every relative link and its anchor exists, the README keeps to its
//! size, `docs/cli.md` has the flags that `--help` has, and `docs/guarantees.md` names tests that exist.

#[cfg(unix)]
mod commands;

use crate::{files, run, stderr, stdout, top};
use std::collections::BTreeSet;
use std::path::Path;

/// The most lines and words of the README.
const README_LINES: usize = 160;
const README_WORDS: usize = 1_200;

/// A page of the documentation.
struct Page {
    /// Its path from the repository's top.
    name: String,
    text: String,
}

impl Page {
    fn read(name: &str) -> Page {
        let text =
            std::fs::read_to_string(top().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Page { name: name.to_string(), text: text.replace("\r\n", "\n") }
    }

    /// The fenced code blocks, in order.
    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let Some(info) = line.strip_prefix("```") else { continue };
            let mut words = info.split_whitespace();
            let (language, title) = (words.next().unwrap_or_default(), words.next());
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            blocks.push(Block { line: number + 1, language, title, body });
        }
        blocks
    }

    /// The lines outside of fenced code blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut fenced = false;
        self.text.lines().filter(move |line| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
    }

    /// The anchors that a link to this page may name, as GitHub makes them from headings.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }
}

/// A fenced code block.
struct Block<'p> {
    /// The line of its fence, 1-based.
    line: usize,
    language: &'p str,
    /// The second word of the fence's info string: the name of the file that the block is.
    title: Option<&'p str>,
    body: Vec<&'p str>,
}

/// The anchor of a heading: lower case, without punctuation, hyphens for blanks.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The pages whose commands are run.
fn pages() -> Vec<Page> {
    let mut names = ["README.md", "CONTRIBUTING.md", "samples/README.md"].map(str::to_string).to_vec();
    for path in files(&top().join("docs"), "md") {
        let path = path.strip_prefix(top()).expect("in the repository");
        names.push(path.to_string_lossy().replace('\\', "/"));
    }
    names.iter().map(|name| Page::read(name)).collect()
}

/// The pages whose links are checked.
fn linked_pages() -> Vec<Page> {
    let more = ["CHANGELOG.md", "DEPENDENCIES.md", "SECURITY.md", "patterns/README.md"];
    let more = more.into_iter().chain(["tests/fuzz/README.md"]).map(Page::read);
    pages().into_iter().chain(more).collect()
}

#[test]
fn the_readme_is_short() {
    let readme = Page::read("README.md");
    let (lines, words) = (readme.text.lines().count(), readme.text.split_whitespace().count());
    assert!(lines <= README_LINES, "README.md has {lines} lines, at most {README_LINES}");
    assert!(words <= README_WORDS, "README.md has {words} words, at most {README_WORDS}");
}

/// The README's first commands, which other pages and people rely on.
#[test]
fn the_readme_has_the_two_commands() {
    let readme = Page::read("README.md");
    for command in ["cargo build --release && ./target/release/migsift scan samples", "cargo test"] {
        assert!(readme.blocks().iter().any(|block| block.body == [command]), "README.md lacks `{command}`");
    }
}

#[test]
fn relative_links_lead_to_files_and_headings() {
    for page in linked_pages() {
        let folder = Path::new(&page.name).parent().expect("a folder").to_path_buf();
        let text: String = page.prose().flat_map(|line| [line, "\n"]).collect();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (path, heading) =
                target.split_once('#').map_or((target, None), |(path, at)| (path, Some(at)));
            let name = if path.is_empty() { page.name.clone() } else { joined(&folder, path) };
            assert!(top().join(&name).exists(), "{}: the link {target} leads to no file", page.name);
            if let Some(heading) = heading {
                let anchors = Page::read(&name).anchors();
                assert!(anchors.contains(heading), "{}: {name} has no heading #{heading}", page.name);
            }
        }
    }
}

/// The path from the repository's top of a `link` on a page in `folder`.
fn joined(folder: &Path, link: &str) -> String {
    let mut parts: Vec<&str> =
        folder.to_str().expect("UTF-8").split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Every page in `docs/` can be reached from the README.
#[test]
fn the_readme_links_to_every_page() {
    let readme = Page::read("README.md");
    for page in pages().iter().filter(|page| !page.name.ends_with("README.md")) {
        assert!(
            readme.text.contains(&format!("]({})", page.name)),
            "README.md does not link to {}",
            page.name
        );
    }
}

/// The flags in `text`, sorted, each once.
fn flags(text: &str) -> BTreeSet<String> {
    let separates = |c: char| {
        c.is_whitespace() || matches!(c, '`' | '=' | ',' | '[' | ']' | '(' | ')' | '.' | '|' | '\'')
    };
    let is_flag = |word: &&str| {
        word.strip_prefix("--")
            .is_some_and(|name| name.len() > 1 && name.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    text.split(separates).filter(is_flag).map(str::to_string).collect()
}

/// `docs/cli.md` describes every flag of `scan --help`, and no page shows a flag that no command has.
#[test]
fn the_pages_know_the_flags() {
    let help = |command: &[&str]| flags(&stdout(&run(&[command, &["--help"]].concat())));
    let scan = help(&["scan"]);
    let table = Page::read("docs/cli.md").text;
    for flag in &scan {
        assert!(table.contains(flag), "docs/cli.md does not mention {flag}");
    }
    let others = [&["report"][..], &["diff"], &["merge"], &["catalog", "import"], &["catalog", "check"], &[]];
    let known: BTreeSet<String> = others.into_iter().flat_map(help).chain(scan).collect();
    for page in pages() {
        for flag in flags(&page.text) {
            let other = OTHER_FLAGS.contains(&flag.as_str());
            assert!(known.contains(&flag) || other, "{} mentions {flag}, which does not exist", page.name);
        }
    }
}

/// `docs/cli.md` describes every command, and `docs/formats.md` has a section for every format.
#[test]
fn the_pages_know_the_commands_and_the_formats() {
    let help = stdout(&run(&["--help"]));
    let commands =
        help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("commands");
    let commands = commands.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<&str> = commands.filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(commands.contains(&"scan"), "{commands:?}");
    let cli = Page::read("docs/cli.md").text;
    for command in commands {
        assert!(cli.contains(&format!("| `migsift {command}")), "docs/cli.md does not describe {command}");
    }
    let error = stderr(&run(&["scan", "--format", "none-such"]));
    let formats =
        error.split("possible values: ").nth(1).and_then(|rest| rest.split(']').next()).expect("formats");
    let page = Page::read("docs/formats.md").anchors();
    for format in formats.split(", ") {
        assert!(page.contains(format), "docs/formats.md has no section {format}");
    }
}

/// Flags of other programs that the pages show: of Cargo, of `az` and of `benches/compare`.
const OTHER_FLAGS: [&str; 18] = [
    "--account-key",
    "--all",
    "--all-targets",
    "--bench",
    "--example",
    "--fuzz-dir",
    "--locked",
    "--migration-name",
    "--name",
    "--open",
    "--password",
    "--path",
    "--profile",
    "--release",
    "--resource-group",
    "--small",
    "--test",
    "--write",
];

/// Every row of `docs/guarantees.md` names tests, and they exist.
#[test]
fn guarantees_name_their_tests() {
    let page = Page::read("docs/guarantees.md");
    let rows: Vec<&str> = page.text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 14, "{rows:?}");
    for row in rows {
        let names = row.rsplit(" | ").next().unwrap_or_default().trim_end_matches(" |");
        for name in names.split(", ").map(|name| name.trim_matches('`')) {
            assert!(is_test(name), "docs/guarantees.md names {name}, which is no test");
        }
    }
}

/// Whether `name`, such as `cli::a_closed_pipe_ends_quietly`, is a test in `tests/it`.
fn is_test(name: &str) -> bool {
    let Some((module, test)) = name.rsplit_once("::") else { return false };
    let file = top().join("tests/it").join(module.replace("::", "/"));
    let text = std::fs::read_to_string(file.with_extension("rs"));
    let Ok(text) = text.or_else(|_| std::fs::read_to_string(file.join("mod.rs"))) else { return false };
    let Some(at) = text.find(&format!("fn {test}(")) else { return false };
    text[..at].trim_end().rsplit("\n\n").next().unwrap_or_default().contains("#[test]")
}
