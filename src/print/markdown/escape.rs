//! Escaping for Markdown: text that is rendered as itself, whatever it contains.
//!
//! Text comes in; Markdown goes out that every renderer of CommonMark or of GitHub's dialect shows as the
//! same text. This module does not know a report.
//!
//! # Why code instead of backslashes
//!
//! A backslash disarms Markdown's own markup, `\*` or `\[`. It does not disarm what an issue tracker turns
//! into a link, a mention or a picture after rendering: `@somebody`, `#123`, hashes of commits, `www.`
//! addresses, `:emoji:` and `$math$`. The trackers leave code alone, however. So each word that is not
//! plainly prose is set as code:
//!
//! ```text
//! Set 'wal_level' on src-1, see #12     ->  Set '`wal_level`' on `src-1`, see `#12`
//! ```
//!
//! A word is prose if it has only letters, digits and a few marks, and does not look like a name: no domain,
//! path, hash or issue number (`is_prose`). Brackets, quotes and punctuation around a word stay outside its
//! code.
//!
//! # Places
//!
//! What is special depends on where the text is put (`Placement`). At the start of a line `-`, `#` and `1.`
//! are markup, so the punctuation of the first word is escaped. In a table a `|` ends the cell even within
//! code, so it is put between two pieces of code as `\|`.
//!
//! # Code
//!
//! Code may itself contain backticks. A row of backticks ends the code only if it is as long as the row that
//! started it, so the fence is a row of a length that the text does not contain: `` a`b `` within two
//! backticks.
//!
//! The property tests render hostile text with a real parser and compare what is shown.

use crate::print::safe;
use crate::text::is_hidden;
use std::fmt::Write;

/// Marks that may come before a prose word.
const OPENING: [char; 5] = ['(', '"', '\'', '“', '‘'];
/// Marks that may come after a prose word.
const CLOSING: [char; 11] = ['.', ',', ';', ':', '!', '?', ')', '"', '\'', '”', '’'];
/// Marks that may occur within a prose word.
const WITHIN: [char; 9] = ['\'', '-', '/', ',', '.', '’', '–', '—', '…'];
/// The shortest fence of a code block.
const MIN_FENCE: usize = 3;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Inline {
    /// Prose, which needs an escape at the start of a line only.
    Plain(String),
    /// Code.
    Code(String),
    /// A link of the catalogue.
    Link(String),
}

/// Where a line of Markdown is put, which decides what is special in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    /// At the start of a line, where `-`, `#` or `1.` would make a list, a heading or a rule.
    LineStart,
    /// After other text of its line.
    WithinLine,
    /// In a table's cell, where `|` ends the cell, also within code.
    Cell,
}

/// One line of prose and code, built piece by piece.
#[derive(Debug, Default)]
pub struct MarkdownLine(Vec<Inline>);

impl MarkdownLine {
    /// Adds `text` as code.
    pub fn code(&mut self, text: &str) -> &mut MarkdownLine {
        let text = safe::line(text);
        // Two adjacent pieces of code would be read as one that contains backticks.
        match self.0.last_mut() {
            Some(Inline::Code(last)) => last.push_str(&text),
            _ if text.is_empty() => {}
            _ => self.0.push(Inline::Code(text.to_string())),
        }
        self
    }

    /// Adds `text`: its prose as prose, the rest as code.
    pub fn text(&mut self, text: &str) -> &mut MarkdownLine {
        self.linked(text, &[])
    }

    /// Adds `text` as [`MarkdownLine::text`] does, with the words that are in `links` as links.
    pub fn linked(&mut self, text: &str, links: &[String]) -> &mut MarkdownLine {
        let text = safe::line(text);
        for (i, word) in text.split(' ').enumerate() {
            // Four spaces at the start of a line would make a code block of it.
            if i > 0 && !self.ends_blank() {
                self.plain(" ");
            }
            self.word(word, links);
        }
        self
    }

    fn ends_blank(&self) -> bool {
        matches!(self.0.last(), Some(Inline::Plain(last)) if last.ends_with(' '))
    }

    fn plain(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Inline::Plain(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.0.push(Inline::Plain(text.to_string())),
        }
    }

    fn word(&mut self, word: &str, links: &[String]) {
        let inner = word.trim_start_matches(OPENING);
        let core = inner.trim_end_matches(CLOSING);
        let (open, close) = (&word[..word.len() - inner.len()], &inner[core.len()..]);
        self.plain(open);
        if links.iter().any(|link| link == core) && is_link(core) {
            self.0.push(Inline::Link(core.to_string()));
        } else if is_prose(core) {
            self.plain(core);
        } else {
            self.code(core);
        }
        self.plain(close);
    }

    /// Without spaces at its ends.
    pub fn trimmed(mut self) -> MarkdownLine {
        if let Some(Inline::Plain(first)) = self.0.first_mut() {
            *first = first.trim_start().to_string();
        }
        if let Some(Inline::Plain(last)) = self.0.last_mut() {
            *last = last.trim_end().to_string();
        }
        self.0.retain(|piece| *piece != Inline::Plain(String::new()));
        self
    }

    fn markdown(&self, place: Placement) -> String {
        let mut markdown = String::new();
        for (i, piece) in self.0.iter().enumerate() {
            match piece {
                Inline::Plain(text) if i == 0 && place == Placement::LineStart => {
                    line_start(&mut markdown, text.trim_start());
                }
                Inline::Plain(text) => markdown.push_str(text),
                Inline::Code(text) if place == Placement::Cell => code_in_cell(&mut markdown, text),
                Inline::Code(text) => span(&mut markdown, text),
                Inline::Link(link) => {
                    let _ = write!(markdown, "<{link}>");
                }
            }
        }
        markdown
    }

    /// As a paragraph, or after the marker of a list item.
    pub fn paragraph(&self) -> String {
        self.markdown(Placement::LineStart)
    }

    /// After other text of its line.
    pub fn inline(&self) -> String {
        self.markdown(Placement::WithinLine)
    }

    /// In a table's cell.
    pub fn cell(&self) -> String {
        self.markdown(Placement::Cell)
    }
}

/// `text` as prose and code in a paragraph.
pub fn text(text: &str) -> String {
    MarkdownLine::default().text(text).paragraph()
}

/// `text` as code in a paragraph.
pub fn code(text: &str) -> String {
    MarkdownLine::default().code(text).paragraph()
}

/// `text` as prose and code after other text of its line.
pub fn inline(text: &str) -> String {
    MarkdownLine::default().text(text).inline()
}

/// `lines` as a code block, with a fence that is longer than any row of backticks in them.
pub fn block(language: &str, lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| safe::line(line)).collect();
    let longest = lines.iter().flat_map(|line| runs(line)).max().unwrap_or(0);
    let fence = "`".repeat(MIN_FENCE.max(longest + 1));
    let mut block = format!("{fence}{language}\n");
    for line in lines {
        let _ = writeln!(block, "{line}");
    }
    let _ = writeln!(block, "{fence}");
    block
}

/// Adds text at the start of a line: the punctuation of its first word may be a list, a rule or a heading, so
/// it is escaped.
fn line_start(markdown: &mut String, text: &str) {
    let (first, rest) = text.split_at(text.find(' ').unwrap_or(text.len()));
    for c in first.chars() {
        if c.is_ascii_punctuation() {
            markdown.push('\\');
        }
        markdown.push(c);
    }
    markdown.push_str(rest);
}

/// Adds code, between rows of backticks of a length that the text does not contain.
fn span(markdown: &mut String, text: &str) {
    let known: Vec<usize> = runs(text).collect();
    let fence = "`".repeat((1..).find(|len| !known.contains(len)).unwrap_or(1));
    // A renderer removes one space on each side if there is one on both.
    let blank = text.starts_with(' ') && text.ends_with(' ') && text.contains(|c| c != ' ');
    let pad = if blank || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    let _ = write!(markdown, "{fence}{pad}{text}{pad}{fence}");
}

/// Adds code in a table's cell: each `|` ends the code and is put between the pieces, escaped.
fn code_in_cell(markdown: &mut String, text: &str) {
    for (i, part) in text.split('|').enumerate() {
        if i > 0 {
            markdown.push_str("\\|");
        }
        if !part.is_empty() {
            span(markdown, part);
        }
    }
}

/// The lengths of the rows of backticks in `text`.
fn runs(text: &str) -> impl Iterator<Item = usize> {
    text.split(|c| c != '`').map(str::len).filter(|len| *len > 0)
}

/// Whether a word is prose: neither a renderer nor a tracker makes anything else of it.
fn is_prose(word: &str) -> bool {
    let prose = |c: char| c.is_alphanumeric() || WITHIN.contains(&c);
    word.chars().all(prose) && !is_name(word)
}

/// Whether a word of letters, digits and a few marks is a name that a tracker may turn into a link: a domain,
/// a path, a commit, an issue.
fn is_name(word: &str) -> bool {
    let lettered = |part: &str| part.chars().take(2).filter(|c| c.is_alphabetic()).count();
    let domain = word.split('.').skip(1).any(|part| lettered(part) == 2);
    let mut parts = word.split('/');
    let single = |part: &str| !part.is_empty() && part.chars().all(char::is_alphabetic);
    let path = word.contains('/') && !(parts.clone().count() == 2 && parts.all(single));
    let hex = word.len() >= 7
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    let issue = word.rsplit_once('-').is_some_and(|(project, number)| {
        project.starts_with(char::is_uppercase) && number.starts_with(|c: char| c.is_ascii_digit())
    });
    domain || path || hex || issue
}

/// Whether a link of the catalogue can be put in angle brackets.
fn is_link(link: &str) -> bool {
    let scheme = link.starts_with("https://") || link.starts_with("http://");
    scheme
        && !link.contains(|c: char| {
            c.is_whitespace() || matches!(c, '<' | '>' | '`' | '|' | '\\') || is_hidden(c)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    /// The text that a renderer shows, and whether there is more than paragraphs, code and tags that `ours`
    /// allows.
    fn rendered(markdown: &str, ours: fn(&Tag<'_>) -> bool) -> (String, bool) {
        let options = Options::all().difference(Options::ENABLE_SMART_PUNCTUATION);
        let (mut text, mut more) = (String::new(), false);
        for event in Parser::new_ext(markdown, options) {
            match event {
                Event::Text(part) | Event::Code(part) => text.push_str(&part),
                Event::Start(Tag::Paragraph) | Event::End(_) => {}
                Event::Start(tag) => more |= !ours(&tag),
                _ => more = true,
            }
        }
        (text, more)
    }

    fn words(text: &str) -> Vec<String> {
        safe::line(text).split(' ').filter(|word| !word.is_empty()).map(str::to_string).collect()
    }

    /// Text full of marks that Markdown, HTML and trackers act on.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            3 => "[-a-z0-9`|<>\\[\\]()*_#@!:~\\\\&;=+.'\"$^{}% \t\n\r]{0,9}",
            1 => "`{1,6}",
            1 => any::<String>(),
            2 => prop::sample::select(vec![
                "@octocat", "#123", "GH-1", "org/repo#9", "<script>alert(1)</script>", "[a](b)", "![a](b)", "&amp;",
                "https://x.example", "www.x.example", "a@b.example", "<https://x.example>", "**b**", "~~s~~", "| a | b |",
                "- [ ] x", "1. x", "# x", "===", "---", "> x", "    code", "```sql", ":tada:", "$x$", "[^1]", "[[w]]",
                "<!-- x -->", "\u{202e}", "\u{1b}[31m", "0a1b2c3d4e", "\\|", "\\", "|", " ", "{#id}", ": x", "+++",
            ]).prop_map(str::to_string),
        ];
        prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
    }

    #[test]
    fn prose_stays_readable_and_the_rest_is_code() {
        let shown =
            "Set 'wal_level' to \"logical\" (see 11.4), and/or don't; @me, #1, GH-12: e.g. x.example!";
        let want = "Set '`wal_level`' to \"logical\" (see 11.4), and/or don't; `@me`, `#1`, `GH-12`: e.g. `x.example`!";
        assert_eq!(text(shown), want);
        assert_eq!(text("1. first"), "1\\. first");
        assert_eq!(text("- first :tada:"), "\\- first `:tada`:");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(MarkdownLine::default().code("a|b\\|c").cell(), "`a`\\|`b\\`\\|`c`");
        assert_eq!(block("sql", &["a ``` b"]), "````sql\na ``` b\n````\n");
    }

    #[test]
    fn only_links_of_the_catalogue_are_links() {
        let links = ["https://aka.ms/x".to_string(), "javascript:alert(1)".to_string()];
        let mut line = MarkdownLine::default();
        line.linked("See https://aka.ms/x. https://aka.ms/y javascript:alert(1)", &links);
        assert_eq!(line.paragraph(), "See <https://aka.ms/x>. `https://aka.ms/y` `javascript:alert(1`)");
    }

    proptest! {
        #[test]
        fn text_renders_as_itself(raw in hostile()) {
            let (shown, more) = rendered(&text(&raw), |_| false);
            prop_assert_eq!(words(&shown), words(&raw));
            prop_assert!(!more, "{}", text(&raw));
            // Outside of code there is no mark that trackers look for.
            let mut plain = MarkdownLine::default();
            plain.text(&raw);
            for piece in plain.0 {
                if let Inline::Plain(text) = piece {
                    prop_assert!(!text.contains(['@', '#', '<', '[', '$', '&', '`', '_', '*', '~']));
                    prop_assert!(!text.contains("://") && !text.contains("www."), "{}", text);
                }
            }
        }

        #[test]
        fn code_renders_as_itself(raw in hostile()) {
            let (shown, more) = rendered(&code(&raw), |_| false);
            // A line of spaces is no paragraph.
            let want = safe::line(&raw);
            prop_assert_eq!(shown.trim(), want.trim());
            prop_assert!(!more, "{}", code(&raw));
        }

        #[test]
        fn cells_render_as_themselves(a in hostile(), b in hostile()) {
            let cell = |raw: &str| MarkdownLine::default().code(raw).cell();
            let text = MarkdownLine::default().text(&b).cell();
            let table = format!("| x | y | z |\n|---|---|---|\n| {} | {text} | end |\n", cell(&a));
            let ours = |tag: &Tag<'_>| matches!(tag, Tag::Table(_) | Tag::TableHead | Tag::TableRow | Tag::TableCell);
            let (shown, more) = rendered(&table, ours);
            prop_assert_eq!(words(&shown).concat(), words(&format!("xyz{a} {b} end")).concat());
            prop_assert!(!more, "{}", table);
            let cells = Parser::new_ext(&table, Options::all()).filter(|event| *event == Event::Start(Tag::TableCell));
            prop_assert_eq!(cells.count(), 6);
        }

        #[test]
        fn blocks_render_as_themselves(lines in prop::collection::vec(hostile(), 1..5)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let markdown = block("text", &lines);
            let ours = |tag: &Tag<'_>| matches!(tag, Tag::CodeBlock(_));
            let (shown, more) = rendered(&markdown, ours);
            let want: String = lines.iter().map(|line| format!("{}\n", safe::line(line))).collect();
            prop_assert_eq!(shown, want);
            prop_assert!(!more, "{}", markdown);
        }
    }
}
