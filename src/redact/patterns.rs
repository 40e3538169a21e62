//! Patterns: what in free text looks like a name of somebody's own.
//!
//! Text comes in; places and what stands there go out. Each pattern finds more than it must rather than less, but none
//! finds anything in the messages of the catalogue.

use super::name::is_uuid;
use regex::Regex;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::LazyLock;

/// What was found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Server,
    Database,
    Role,
    Table,
    Resource,
    Subscription,
    /// An address of a network or of mail.
    Address,
    /// A name of which it is not known what it names.
    Any,
}

/// Why it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// It has the shape of a name of its kind: it is one name.
    Shape,
    /// It stands where a name would: it may be several, or other words.
    Place,
}

/// Domains that belong to nobody whose logs these could be, with all below them.
const PUBLIC: [&str; 5] = ["microsoft.com", "aka.ms", "postgresql.org", "github.com", "pgpedia.info"];
/// What the last label of a host is: not what files, code and versions end with.
const TOP_LEVELS: [&str; 39] = [
    "com",
    "net",
    "org",
    "io",
    "local",
    "localdomain",
    "internal",
    "intra",
    "intranet",
    "corp",
    "lan",
    "home",
    "private",
    "cloud",
    "dev",
    "test",
    "prod",
    "app",
    "info",
    "biz",
    "gov",
    "edu",
    "mil",
    "eu",
    "uk",
    "us",
    "de",
    "fr",
    "ch",
    "at",
    "nl",
    "be",
    "it",
    "es",
    "ca",
    "au",
    "jp",
    "in",
    "br",
];

struct Patterns {
    resource: Regex,
    subscription: Regex,
    mail: Regex,
    dotted: Regex,
    colons: Regex,
    keyed: Regex,
    called: Regex,
    quoted: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let new = |pattern: &str| Regex::new(pattern).expect("a valid pattern");
    Patterns {
        resource: new(r#"/(?i-u:subscriptions)/[^\s"'`<>,;()\[\]{}\\]+"#),
        subscription: new(r"(?i-u:subscription)[A-Za-z]{0,3}[^A-Za-z0-9]{0,10}([0-9a-fA-F-]{36})"),
        mail: new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
        dotted: new(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+(?::[0-9]{1,5})?"),
        colons: new(r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"),
        // `dbname=x`, `"sourceServerName": "x"`, `user: x`.
        keyed: new(concat!(
            r#"\b(?i-u:[a-z]{0,24}?_?)(?i-u:(?P<server>host(?:_?name|addr)?|server(?:_?name)?)"#,
            r#"|(?P<database>db_?name|database(?:_?name)?|datname)"#,
            r#"|(?P<role>user(?:_?name)?|usename|rolname|role(?:_?name)?|login(?:_?name)?|owner))"#,
            r#"\\*["']?\s*(?:=>|[:=])\s*(?:\\*["'`](?P<value>[^"'`\\]+)|(?P<bare>[^\s"'`\\,;()\[\]{}]+))"#,
        )),
        // `role "x"`, `table 'x'`.
        called: new(concat!(
            r#"\b(?i-u:(?P<server>server|host)|(?P<database>database)|(?P<role>role|user|login|owner)"#,
            r#"|(?P<table>schema|table|relation|column|index|sequence|view|function))(?i-u:s)?(?: (?i-u:name))?"#,
            r#"\s+\\*["'`“‘«](?P<value>[^"'`”’»\\]+)"#,
        )),
        quoted: new(concat!(
            r#""([^"\\]{1,256})\\*"|(?:\A|\W)'([^'\\]{1,256})\\*'|`([^`\\]{1,256})\\*`"#,
            r#"|[“„]([^“”]{1,256})[“”]|‘([^‘’]{1,256})’|«([^«»]{1,256})»"#,
        )),
    }
});

/// Calls `found` with each place that looks like a name; also with each that stands in quotes, if `quoted`.
pub(super) fn find(text: &str, quoted: bool, mut found: impl FnMut(Range<usize>, Kind, Sure)) {
    let patterns = &*PATTERNS;
    for id in patterns.resource.find_iter(text) {
        found(id.range(), Kind::Resource, Sure::Shape);
    }
    for id in patterns.subscription.captures_iter(text).filter_map(|found| found.get(1)) {
        if is_uuid(id.as_str().as_bytes()) {
            found(id.range(), Kind::Subscription, Sure::Shape);
        }
    }
    for address in patterns.mail.find_iter(text) {
        found(address.range(), Kind::Address, Sure::Shape);
    }
    for dotted in patterns.dotted.find_iter(text).filter(|dotted| is_host(dotted.as_str())) {
        found(dotted.range(), Kind::Server, Sure::Shape);
    }
    for colons in patterns.colons.find_iter(text).filter(|colons| colons.as_str().parse::<IpAddr>().is_ok()) {
        found(colons.range(), Kind::Server, Sure::Shape);
    }
    for pattern in [&patterns.keyed, &patterns.called] {
        for named in pattern.captures_iter(text) {
            let kinds = [
                ("server", Kind::Server),
                ("database", Kind::Database),
                ("role", Kind::Role),
                ("table", Kind::Table),
            ];
            let is = |name: &str| {
                pattern.capture_names().any(|known| known == Some(name)) && named.name(name).is_some()
            };
            let kind = kinds.iter().find(|(name, _)| is(name)).map_or(Kind::Any, |(_, kind)| *kind);
            if let Some(value) = named.name("value").or_else(|| named.name("bare")) {
                found(value.range(), kind, Sure::Place);
            }
        }
    }
    if quoted {
        for value in
            patterns.quoted.captures_iter(text).filter_map(|found| found.iter().skip(1).flatten().next())
        {
            found(value.range(), Kind::Any, Sure::Place);
        }
    }
}

/// Whether a dotted text, perhaps with a port, names a host or is its address.
fn is_host(text: &str) -> bool {
    let host = text.split(':').next().unwrap_or(text);
    if host.parse::<IpAddr>().is_ok() {
        return true;
    }
    let lower = host.to_ascii_lowercase();
    let public =
        |domain: &str| lower.strip_suffix(domain).is_some_and(|own| own.is_empty() || own.ends_with('.'));
    let top = lower.rsplit('.').next().unwrap_or_default();
    TOP_LEVELS.contains(&top) && lower != "postgres.database.azure.com" && !PUBLIC.into_iter().any(public)
}
