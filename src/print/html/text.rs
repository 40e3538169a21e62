//! The doors that text takes into the page.
//!
//! Text from logs, paths and the catalogue comes in; markup goes out with active characters written out and everything
//! else escaped. Code and links in an advice are made only of what the catalogue itself says, never of what a log filled
//! in: a log cannot offer a command to copy or a link to follow.

use super::super::safe;
use crate::catalog::{ArgValue, Entry, Severity};
use crate::finding::Args;
use crate::text::is_hidden;
use maud::{Markup, Render, html};

/// The most characters shown of one value; what is longer is cut, and that is said.
pub const MAX_CHARS: usize = 500;
/// The most items shown of one list.
const MAX_ITEMS: usize = 50;
/// What a statement begins with that is worth a block to copy.
const STATEMENTS: [&str; 9] =
    ["SELECT ", "ALTER ", "CREATE ", "DROP ", "GRANT ", "REVOKE ", "SHOW ", "UPDATE ", "az "];

/// Text from a log, on one line.
pub struct Log<'t>(pub &'t str);

impl Render for Log<'_> {
    fn render_to(&self, page: &mut String) {
        let text = safe::line(self.0);
        match text.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => {
                text[..end].render_to(page);
                "… (cut)".render_to(page);
            }
            None => text.render_to(page),
        }
    }
}

/// A name or value from a log: set apart, so that its direction does not touch its neighbours.
pub fn value(text: &str) -> Markup {
    html! { bdi class="value" { (Log(text)) } }
}

/// Things in a row.
pub fn commas(items: impl IntoIterator<Item = Markup>) -> Markup {
    html! {
        @for (i, item) in items.into_iter().enumerate() {
            @if i > 0 { ", " }
            (item)
        }
    }
}

/// Names or values in a row.
pub fn values<'t>(texts: impl Iterator<Item = &'t str> + Clone, most: usize) -> Markup {
    let more = texts.clone().count().saturating_sub(most);
    html! {
        (commas(texts.take(most).map(value)))
        @if more > 0 { " and " (super::thousands(more as u64)) " more" }
    }
}

/// Arguments with their names; nothing where there are none.
pub fn arguments(args: &Args) -> Markup {
    html! {
        @for (i, (name, given)) in args.iter().enumerate() {
            @if i > 0 { ", " }
            span class="name" { (Log(&name.replace('_', " "))) } " "
            @match given {
                ArgValue::One(text) => (value(text)),
                ArgValue::Many(texts) => (values(texts.iter().map(String::as_str), MAX_ITEMS)),
            }
        }
    }
}

/// How bad it is, in a word with a colour.
pub fn severity(severity: Severity) -> Markup {
    let (class, word) = match severity {
        Severity::Error => ("badge error", "error"),
        Severity::Warning => ("badge warning", "warning"),
    };
    html! { span class=(class) { (word) } }
}

/// The id of a code's card. Ids of catalogues hold letters, digits and hyphens only; anything else is left out.
pub fn anchor(id: &str) -> String {
    format!("code-{}", id.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', ""))
}

/// A link, if it is one that a browser may follow.
pub fn link(address: &str) -> Markup {
    let follows = address.starts_with("https://") && !address.contains(is_hidden);
    html! {
        @if follows { a href=(address) rel="noopener noreferrer" { (Log(address)) } } @else { (Log(address)) }
    }
}

/// An advice: text in backticks as code, whole statements as blocks to copy, addresses as links.
pub fn advice(text: &str, entry: Option<&Entry>) -> Markup {
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return html! { p { (linked(text, entry)) } };
    }
    let statement = |piece: &str| {
        STATEMENTS.iter().any(|start| piece.starts_with(start)) && says(entry, &format!("`{piece}`"))
    };
    html! {
        // A block may not stand in a paragraph, so that the text around it is in blocks of its own.
        div class="advice" {
            @for (i, piece) in pieces.iter().enumerate() {
                @if i % 2 == 0 {
                    (linked(piece, entry))
                } @else if statement(piece) {
                    (copyable(piece, "statement"))
                } @else {
                    code { (Log(piece)) }
                }
            }
        }
    }
}

/// A block that the script adds a button to, which copies it; `what` is the button's object for who does not see it.
pub fn copyable(text: &str, what: &str) -> Markup {
    html! { pre data-copy=(what) { code { (safe::block(text)) } } }
}

fn linked(text: &str, entry: Option<&Entry>) -> Markup {
    html! {
        @for (i, word) in text.split(' ').enumerate() {
            @if i > 0 { " " }
            @let address = word.trim_end_matches(['.', ',', ')', ';']);
            @if address.starts_with("https://") && says(entry, address) {
                (link(address)) (Log(&word[address.len()..]))
            } @else {
                (Log(word))
            }
        }
    }
}

/// Whether the catalogue's own advice or links have these words.
fn says(entry: Option<&Entry>, words: &str) -> bool {
    entry.is_some_and(|entry| {
        entry.resolutions.iter().chain(&entry.wordings).any(|template| template.text.contains(words))
            || entry.links.iter().any(|link| link.contains(words))
    })
}
