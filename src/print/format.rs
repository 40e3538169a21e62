//! The formats of a report: one table, which everything else about formats is derived from.
//!
//! Each format is defined in its own file by a [`Definition`]: its name, its first bytes, and how it is
//! written. The table at the end of this file lists the definitions. Command-line values, `--report`, the
//! recognition of own outputs and the tests over all formats read the table, so a new format needs its file
//! and one row here.
//!
//! A format is written in one of two ways ([`Writer`]). Most are made from the finished [`Report`](crate::report::Report). NDJSON
//! and CSV print findings while the scan runs, in bounded memory, and are [`Streamed`](super::Streamed).
//!
//! This module does not know the command line, files or terminals: the caller passes [`Settings`](super::Settings) and a
//! [`Destination`](super::Destination).

use super::definition::{Definition, Writer};
use super::{csv, html, human, json, junit, markdown, ndjson, prometheus};
use crate::input::Signature;

impl Format {
    /// The format with this name or alias.
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.name() == name || format.aliases().contains(&name))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Other names that mean the same.
    pub fn aliases(self) -> &'static [&'static str] {
        self.definition().aliases
    }

    /// One line of help.
    pub fn about(self) -> &'static str {
        self.definition().about
    }

    /// How its output starts.
    pub fn signatures(self) -> &'static [Signature] {
        self.definition().signatures
    }

    /// How it is written.
    pub fn writer(self) -> Writer {
        self.definition().writer
    }

    /// Whether it lists every finding while the scan runs; a report does not hold all of them.
    pub fn is_streamed(self) -> bool {
        matches!(self.writer(), Writer::Findings(_))
    }
}

/// Makes the enum of the table's rows, so that no row can be missing from [`Format::ALL`].
macro_rules! formats {
    ($($(#[$doc:meta])* $format:ident => $definition:expr,)+) => {
        /// A format of a report, or of the findings of a scan.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Format {
            $($(#[$doc])* $format,)+
        }

        impl Format {
            /// All formats, in the order of the help.
            pub const ALL: &'static [Format] = &[$(Format::$format),+];

            fn definition(self) -> &'static Definition {
                match self {
                    $(Format::$format => &$definition,)+
                }
            }
        }
    };
}

formats! {
    /// Text for people.
    Human => human::FORMAT,
    /// One JSON document.
    Json => json::FORMAT,
    /// One JSON object per line.
    Ndjson => ndjson::FORMAT,
    /// One row per finding.
    Csv => csv::FORMAT,
    /// A report for an issue tracker.
    Markdown => markdown::FORMAT,
    /// Test results for a pipeline.
    Junit => junit::FORMAT,
    /// Metrics.
    Prometheus => prometheus::FORMAT,
    /// A page for a browser.
    Html => html::FORMAT,
}

#[cfg(test)]
mod tests {
    use super::super::own_outputs;
    use super::*;
    use crate::input::own_report;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_aliases_are_distinct() {
        let mut names = BTreeSet::new();
        for format in Format::ALL {
            for name in [format.name()].iter().chain(format.aliases()) {
                assert!(names.insert(*name), "{name}");
                assert_eq!(Format::named(name), Some(*format));
            }
            assert!(!format.signatures().is_empty(), "{}", format.name());
        }
        assert_eq!(Format::named("yaml"), None);
    }

    #[test]
    fn own_outputs_are_recognised_and_logs_are_not() {
        for head in [
            "{\n  \"schema_version\": 1,\n  \"tool\": \"migsift\",",
            "{\"type\":\"run\",\"schema_version\":1,\"tool\":\"migsift\",",
            "id,code,known,severity,title,code_in_log,wording,args.collation",
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"generator\" content=\"migsift 0.1.0\">",
            "# migsift: 9 failures\n",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"migsift\" tests=\"47\"",
            "# HELP migsift_build_info The program",
            "9 blockers in 2 of 8 databases, 1 warning\n9 yours to fix\n1,204 of 1,207 inputs read (34.8 kB): 12 findings\n",
            "at least 2,000 blockers\n2,000 yours to fix\n1 of 1 input read (34.8 kB): 12 findings\n",
            "No blockers, 1 warning\n1 of 1 input read (0 bytes): 2 findings\n",
            "No blockers, 0 warnings, 1 failure known and accepted\n1 of 1 input read (0 bytes): 2 findings\n",
            "Nothing found\n1 of 1 input read (0 bytes)\n",
            "1,200 new, 3 still failing, 0 fixed\n\nNew (1,200)\n",
        ] {
            assert!(own_report::is(own_outputs(), head.as_bytes()), "{head}");
        }
        for head in [
            "{\"tool\":\"other\"}",
            "# migsift",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"other\"",
            "# HELP other_info",
            "<!DOCTYPE html><html><head><title>migsift</title>",
            "12 of 30 rows read (ok)\n",
            "3 new, 4 old\n",
            "",
            "migsift found nothing",
            "a of b inputs read (x): y",
            "1 of 1 input read (0 bytes)\n",
            "9 blockers in 2 of 8 databases, says a mail\n",
        ] {
            assert!(!own_report::is(own_outputs(), head.as_bytes()), "{head}");
        }
    }
}
