//! A page of text, wrapped to a width and coloured.
//!
//! Pieces of safe text come in, lines go to the writer. This module does not know a report.

use crate::catalog::Severity;
use crate::print::safe::line;
use crate::report::Segment;
use anstyle::{AnsiColor, Effects, Style};
use std::fmt::Display;
use std::io::{self, Write};
use textwrap::{Options, WordSplitter};
use unicode_width::UnicodeWidthStr;

/// How text is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Columns of the terminal; without them nothing is wrapped.
    pub width: Option<usize>,
    /// Whether to colour.
    pub color: bool,
    /// Whether to print the plan and the facts for a support case.
    pub plan: bool,
}

/// A writer with a layout.
pub(in crate::print) struct Page<'w> {
    pub(in crate::print) out: &'w mut dyn Write,
    pub(in crate::print) layout: Layout,
}

pub(in crate::print) const BOLD: Style = Style::new().effects(Effects::BOLD);
pub(in crate::print) const DIM: Style = Style::new().effects(Effects::DIMMED);
pub(in crate::print) const RED: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
pub(in crate::print) const YELLOW: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
pub(in crate::print) const GREEN: Style = AnsiColor::Green.on_default().effects(Effects::BOLD);

impl Page<'_> {
    pub(in crate::print) fn paint(&self, style: Style, text: impl Display) -> String {
        if self.layout.color { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    pub(super) fn severity(&self, severity: Severity, width: usize) -> String {
        let style = if severity == Severity::Error { RED } else { YELLOW };
        self.paint(style, format!("{severity:<width$}"))
    }

    /// Writes `text` after `lead`, wrapped to the width, with continuation lines indented as far.
    pub(in crate::print) fn wrapped(&mut self, lead: &str, text: &str) -> io::Result<()> {
        let Some(width) = self.layout.width else { return writeln!(self.out, "{lead}{text}") };
        let indent = " ".repeat(lead.width());
        let options =
            Options::new(width.max(lead.width() + 20)).initial_indent(lead).subsequent_indent(&indent);
        // Names and links are never broken, so that they can be copied.
        let options = options.break_words(false).word_splitter(WordSplitter::NoHyphenation);
        for row in textwrap::wrap(text, options) {
            writeln!(self.out, "{row}")?;
        }
        Ok(())
    }

    /// Writes a command after `lead`. It is broken only where that does not change it, at spaces outside of
    /// quotes; `tail` ends each line except the last.
    pub(super) fn command(&mut self, lead: &str, text: &str, tail: &str) -> io::Result<()> {
        let width = self.layout.width.map_or(usize::MAX, |width| width.max(lead.width() + 20));
        let mut row = String::new();
        for word in words(text) {
            if !row.is_empty() && lead.width() + row.width() + 1 + word.width() + tail.width() > width {
                writeln!(self.out, "{lead}{row}{tail}")?;
                row.clear();
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        writeln!(self.out, "{lead}{row}")
    }

    /// Writes advice after `lead`, with each statement on its own line.
    pub(super) fn advice(&mut self, lead: &str, segments: &[Segment]) -> io::Result<()> {
        let indent = " ".repeat(lead.width());
        let mut lead = lead;
        for segment in segments {
            match segment {
                Segment::Text(text) => match line(text).trim() {
                    // The punctuation after a statement.
                    "" | "." | "," => {}
                    text => {
                        self.wrapped(lead, text)?;
                        lead = &indent;
                    }
                },
                Segment::Code(code) => {
                    self.command(&format!("{indent}  "), &line(code), "")?;
                    lead = &indent;
                }
            }
        }
        Ok(())
    }

    pub(super) fn list(&mut self, heading: &str, items: impl Iterator<Item = String>) -> io::Result<()> {
        for (i, item) in items.enumerate() {
            if i == 0 {
                writeln!(self.out, "\n{}", self.paint(BOLD, heading))?;
            }
            self.wrapped("  - ", &item)?;
        }
        Ok(())
    }
}

/// The words of a command; quoted text is part of one word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let blank = move |c: char| {
        match quote {
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        quote.is_none() && c == ' '
    };
    text.split(blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_broken_outside_of_quotes() {
        let sql = "SELECT a FROM t WHERE b = 'BASE  TABLE' AND \"x y\" = 1;";
        let mut bytes = Vec::new();
        let layout = Layout { width: Some(30), ..Layout::default() };
        Page { out: &mut bytes, layout }.command("  ", sql, " \\").expect("writes");
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(text, "  SELECT a FROM t WHERE b = \\\n  'BASE  TABLE' AND \"x y\" = \\\n  1;\n");
        let mut bytes = Vec::new();
        Page { out: &mut bytes, layout: Layout::default() }.command("", sql, " \\").expect("writes");
        assert_eq!(bytes, format!("{sql}\n").into_bytes());
    }
}
