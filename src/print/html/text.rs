//! The only way for text into the page.
//!
//! Text from logs, paths and the catalogue comes in; markup goes out with hidden characters written out and
//! everything else escaped by maud.
//!
//! An advice mixes the catalogue's text with values of the log. Only what the catalogue has word for word
//! becomes code to copy or a link to follow: a log whose database is named `https://evil.example` must not
//! put a link on the page. [`advice`] therefore looks each statement and each address up in the entry.

use super::super::safe;
use crate::catalog::{ArgValue, Entry, Severity};
use crate::finding::Args;
use crate::print::published::statement;
use crate::text::is_hidden;
use maud::{Markup, Render, html};

/// The most characters shown of one value; a longer one is cut and marked.
pub const MAX_CHARS: usize = 500;
/// The most items shown of one list.
const MAX_ITEMS: usize = 50;
/// Text from a log, on one line.
pub struct LogText<'t>(pub &'t str);

impl Render for LogText<'_> {
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

/// A name or value from a log, isolated so that its direction of writing does not affect the text around it.
pub fn value(text: &str) -> Markup {
    html! { bdi class="value" { (LogText(text)) } }
}

/// Items separated by commas.
pub fn commas(items: impl IntoIterator<Item = Markup>) -> Markup {
    html! {
        @for (i, item) in items.into_iter().enumerate() {
            @if i > 0 { ", " }
            (item)
        }
    }
}

/// Names or values separated by commas.
pub fn values<'t>(texts: impl Iterator<Item = &'t str> + Clone, most: usize) -> Markup {
    let more = texts.clone().count().saturating_sub(most);
    html! {
        (commas(texts.take(most).map(value)))
        @if more > 0 { " and " (super::thousands(more as u64)) " more" }
    }
}

/// Arguments with their names.
pub fn arguments(args: &Args) -> Markup {
    html! {
        @for (i, (name, given)) in args.iter().enumerate() {
            @if i > 0 { ", " }
            span class="name" { (LogText(&name.replace('_', " "))) } " "
            @match given {
                ArgValue::One(text) => (value(text)),
                ArgValue::Many(texts) => (values(texts.iter().map(String::as_str), MAX_ITEMS)),
            }
        }
    }
}

/// The severity, as a word with a colour.
pub fn severity(severity: Severity) -> Markup {
    html! { span class={ "badge " (severity) } { (severity) } }
}

/// The id of a code's card. Ids of catalogues hold letters, digits and hyphens only; anything else is left
/// out.
pub fn anchor(id: &str) -> String {
    format!("code-{}", id.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', ""))
}

/// A link, if the address is safe to follow.
pub fn link(address: &str) -> Markup {
    let follows = address.starts_with("https://") && !address.contains(is_hidden);
    html! {
        @if follows { a href=(address) rel="noopener noreferrer" { (LogText(address)) } } @else { (LogText(address)) }
    }
}

/// An advice: text in backticks as code, statements as blocks to copy, addresses as links.
pub fn advice(text: &str, entry: Option<&Entry>) -> Markup {
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return html! { p { (linked(text, entry)) } };
    }
    html! {
        // HTML allows no block within a paragraph, so the text is in a `div`.
        div class="advice" {
            @for (i, piece) in pieces.iter().enumerate() {
                @if i % 2 == 0 {
                    (linked(piece, entry))
                } @else if statement(piece, entry).is_some() {
                    (copyable(piece, "statement"))
                } @else {
                    code { (LogText(piece)) }
                }
            }
        }
    }
}

/// A block to which the script adds a copy button. `what` names the text in the button's label.
pub fn copyable(text: &str, what: &str) -> Markup {
    html! { pre data-copy=(what) { code { (safe::block(text)) } } }
}

fn linked(text: &str, entry: Option<&Entry>) -> Markup {
    html! {
        @for (i, word) in text.split(' ').enumerate() {
            @if i > 0 { " " }
            @let address = word.trim_end_matches(['.', ',', ')', ';']);
            @if address.starts_with("https://") && published(entry, address) {
                (link(address)) (LogText(&word[address.len()..]))
            } @else {
                (LogText(word))
            }
        }
    }
}

/// Whether the entry's own text or links contain these words.
fn published(entry: Option<&Entry>, words: &str) -> bool {
    entry.is_some_and(|entry| {
        entry.resolutions.iter().chain(&entry.wordings).any(|template| template.text.contains(words))
            || entry.links.iter().any(|link| link.contains(words))
    })
}
