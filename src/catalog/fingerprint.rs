//! The fingerprint of a catalogue: whether two runs looked for the same and reported it in the same way.
//!
//! A [`Catalog`] comes in, 16 hexadecimal digits go out. Reports with different fingerprints are not merged, and a store
//! rereads what was read with another one. So the hash covers everything that decides what is found or printed, and
//! nothing else: examples, negatives, line numbers and comments of a pattern file do not count, nor does the edition,
//! which names a table and changes nothing.
//!
//! The hash is kept in files for years, while the program changes. It is therefore computed from a text whose parts are
//! written out here: keys, and the values and [stable names](super::Severity::name) that a pattern file has. Rust's own
//! names and the derived `Debug` never enter it. To cover something new, add a field in [`describe`]; every fingerprint
//! changes then, which is right.

use super::{Argument, Catalog, CodeSpace, Entry, Template, render};
use xxhash_rust::xxh3::xxh3_64;

impl Catalog {
    /// Returns a stable hash of everything that decides what is found and reported: 16 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", xxh3_64(describe(self).as_bytes()))
    }
}

/// Writes the hashed text. Each value has its length before it: no two catalogues have the same text.
fn describe(catalog: &Catalog) -> String {
    let mut text = String::new();
    let spaces = catalog.code_spaces.iter().map(|space| ("code_space", code_space(space)));
    for (key, value) in spaces.chain(catalog.entries.iter().flat_map(|entry| fields(entry))) {
        text += &format!("{key}:{}:{value}\n", value.len());
    }
    text
}

/// Returns the fields of an entry that count, under their keys in a pattern file.
fn fields(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("id", entry.id.to_string()),
        ("code", entry.code.as_deref().unwrap_or_default().to_string()),
        ("title", entry.title.to_string()),
        ("severity", entry.severity.name().to_string()),
        ("scope", entry.scope.name().to_string()),
        ("side", entry.side.name().to_string()),
        ("actor", entry.actor.name().to_string()),
        ("restart", entry.restart.to_string()),
    ];
    fields.extend(entry.arguments.iter().map(|known| ("argument", argument(known))));
    let mut texts = |key, templates: &[Template]| {
        fields.extend(templates.iter().map(|template| (key, template.text.clone())));
    };
    texts("wording", &entry.wordings);
    texts("followup", &entry.followups);
    texts("resolution", &entry.resolutions);
    fields.extend(entry.links.iter().map(|link| ("link", link.clone())));
    fields.extend(entry.fix.iter().map(|fix| ("fix", render::fix(fix))));
    fields.push(("vendor", render::vendor(&entry.vendor)));
    fields
}

fn code_space(space: &CodeSpace) -> String {
    format!("{} {} {} {}", space.prefix(), space.alphabet().name(), space.length(), space.word())
}

fn argument(argument: &Argument) -> String {
    let Argument { name, position, kind, merge, subject } = argument;
    let subject = subject.map_or("", |subject| subject.name());
    format!("{name} {position} {} {} {subject}", kind.name(), merge.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::parse;

    const FILE: &str = r#"format = 1
edition = "2025-01"
[[code_space]]
prefix = "CT"
alphabet = "alphanumeric"
length = 6
word = "code"
[vendor]
support = "Contoso support"
[[entry]]
id = "disk-quota"
title = "Disk quota"
severity = "warning"
scope = "database"
side = "target"
actor = "unsupported"
restart = true
arguments = [
  { name = "host", position = 0, kind = "text", subject = "server" },
  { name = "size", position = 1, kind = "number", merge = "max" },
]
wordings = ["Storage of {host} is full."]
followups = ["Needed are {size} bytes."]
resolutions = ["Enlarge the disk."]
links = ["https://contoso.example"]
[entry.fix]
kind = "advice"
title = "Do it"
"#;

    /// The text is pinned, so that renaming a variant or a field in Rust changes no fingerprint: every stored history
    /// would become one of another catalogue.
    #[test]
    fn the_hashed_text_has_the_names_of_pattern_files() {
        let catalog = parse("my.toml", FILE).expect("parses");
        assert_eq!(
            describe(&catalog),
            [
                "code_space:22:CT alphanumeric 6 code\n",
                "code_space:17:603 digits 6 code\n",
                "id:10:disk-quota\n",
                "code:0:\n",
                "title:10:Disk quota\n",
                "severity:7:warning\n",
                "scope:8:database\n",
                "side:6:target\n",
                "actor:11:unsupported\n",
                "restart:4:true\n",
                "argument:24:host 0 text union server\n",
                "argument:18:size 1 number max \n",
                "wording:26:Storage of {host} is full.\n",
                "followup:24:Needed are {size} bytes.\n",
                "resolution:17:Enlarge the disk.\n",
                "link:23:https://contoso.example\n",
                "fix:32:kind = \"advice\"\ntitle = \"Do it\"\n\n",
                "vendor:37:[vendor]\nsupport = \"Contoso support\"\n\n",
            ]
            .concat()
        );
    }

    #[test]
    fn only_what_is_found_or_reported_counts() {
        let fingerprint = |text: &str| parse("my.toml", text).expect("parses").fingerprint();
        let known = fingerprint(FILE);
        let example = "\n[[entry.examples]]\ntext = \"Storage of a is full.\"\nargs = { host = \"a\" }\n";
        assert_eq!(
            fingerprint(&format!("# A comment\n{FILE}{example}").replace("2025-01", "2026-01")),
            known
        );
        for (old, new) in [
            ("length = 6", "length = 7"),
            ("Contoso support", "Fabrikam support"),
            ("subject = \"server\"", "subject = \"role\""),
            ("merge = \"max\"", "merge = \"union\""),
            ("Enlarge the disk", "Enlarge a disk"),
            ("kind = \"advice\"", "kind = \"change\""),
        ] {
            assert_ne!(fingerprint(&FILE.replace(old, new)), known, "{new}");
        }
    }
}
