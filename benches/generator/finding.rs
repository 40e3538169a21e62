//! Findings to plant: messages of the service, in the words of its catalogue.
//!
//! A random number generator comes in; a [`Finding`] goes out, one of the built-in catalogue's wordings with
//! its placeholders filled. Every third has its contractions written out, as the service's real messages have
//! them.

use super::noise::{escaped, record, worker};
use super::rng::Rng;
use super::words::{Clock, value};
use migsift::catalog::{Entry, Template, builtin};

/// Contractions in the catalogue, and what the service writes instead.
const CONTRACTIONS: [(&str, &str); 6] = [
    ("doesn't", "does not"),
    ("isn't", "is not"),
    ("aren't", "are not"),
    ("can't", "cannot"),
    ("couldn't", "could not"),
    ("they're", "they are"),
];

/// A message that must be found once.
pub struct Finding {
    entry: &'static Entry,
    text: String,
}

impl Finding {
    /// Makes the next message.
    pub fn new(rng: &mut Rng) -> Finding {
        // An entry without wordings has no text to log.
        let mut entry: &'static Entry = rng.pick(&builtin().entries).as_ref();
        while entry.wordings.is_empty() {
            entry = rng.pick(&builtin().entries).as_ref();
        }
        let mut text = Template::fill(&rng.pick(&entry.wordings).text, |name| value(name, rng));
        if let Some(followup) = entry.followups.first().filter(|_| rng.happens(0.5)) {
            text.push(' ');
            text.push_str(&Template::fill(&followup.text, |name| value(name, rng)));
        }
        if rng.below(3) == 0 {
            for (short, long) in CONTRACTIONS {
                text = text.replace(short, long);
            }
        }
        Finding { entry, text }
    }

    /// Returns code, title and text, one after another.
    pub fn titled(&self) -> String {
        let title = self.entry.title.trim_end_matches('.');
        match &self.entry.code {
            Some(code) => format!("{code}: {title}. {}", self.text),
            None => format!("{title}. {}", self.text),
        }
    }

    /// Appends a line that contains it: one of the worker, with the text alone or with its code, or a JSON
    /// record.
    pub fn line(&self, out: &mut String, rng: &mut Rng, clock: &mut Clock) {
        match rng.below(3) {
            0 => worker(out, rng, clock, "validate.c", "ERROR", &self.text),
            1 => worker(out, rng, clock, "validate.c", "ERROR", &self.titled()),
            _ => {
                let code =
                    self.entry.code.as_ref().map(|code| format!("\"code\":\"{code}\",")).unwrap_or_default();
                let message = escaped(&self.text);
                record(out, rng, clock, &format!("\"state\":\"Failed\",{code}\"message\":\"{message}\""));
            }
        }
    }
}
