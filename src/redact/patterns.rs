//! Patterns: what in free text looks like a private name.
//!
//! Text comes in; ranges and the kind of name in each go out. When in doubt a pattern matches: a word too many in a
//! redacted text is a nuisance, a name too many a leak. But none matches in the messages of the catalogue, which must
//! be found again in what is redacted; a test holds this. The module knows no tokens and no arguments.

use super::name::is_uuid;
use regex::Regex;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::LazyLock;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    Server,
    Database,
    Role,
    Table,
    Resource,
    Subscription,
    /// An address of a network or of mail.
    Address,
    /// Something that is not known.
    Any,
}

/// Why a range is thought to be a name; the better reason comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Evidence {
    /// It has the shape of a name of its kind: it is one name.
    Shape,
    /// It is where a name would be: it may be several names, or other words.
    Position,
}

/// Public domains: hosts in them are no private names.
const PUBLIC: [&str; 5] = ["microsoft.com", "aka.ms", "postgresql.org", "github.com", "pgpedia.info"];
/// Last labels of hosts, without those that files, code and versions end with.
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

/// Calls `found` with each range that looks like a name and, if `quoted`, with each that is in quotes.
pub(super) fn find(text: &str, quoted: bool, mut found: impl FnMut(Range<usize>, NameKind, Evidence)) {
    let patterns = &*PATTERNS;
    for id in patterns.resource.find_iter(text) {
        found(id.range(), NameKind::Resource, Evidence::Shape);
    }
    for id in patterns.subscription.captures_iter(text).filter_map(|found| found.get(1)) {
        if is_uuid(id.as_str().as_bytes()) {
            found(id.range(), NameKind::Subscription, Evidence::Shape);
        }
    }
    for address in patterns.mail.find_iter(text) {
        found(address.range(), NameKind::Address, Evidence::Shape);
    }
    for dotted in patterns.dotted.find_iter(text).filter(|dotted| is_host(dotted.as_str())) {
        found(dotted.range(), NameKind::Server, Evidence::Shape);
    }
    for colons in patterns.colons.find_iter(text).filter(|colons| colons.as_str().parse::<IpAddr>().is_ok()) {
        found(colons.range(), NameKind::Server, Evidence::Shape);
    }
    for pattern in [&patterns.keyed, &patterns.called] {
        for named in pattern.captures_iter(text) {
            let kinds = [
                ("server", NameKind::Server),
                ("database", NameKind::Database),
                ("role", NameKind::Role),
                ("table", NameKind::Table),
            ];
            let is = |name: &str| {
                pattern.capture_names().any(|known| known == Some(name)) && named.name(name).is_some()
            };
            let kind = kinds.iter().find(|(name, _)| is(name)).map_or(NameKind::Any, |(_, kind)| *kind);
            if let Some(value) = named.name("value").or_else(|| named.name("bare")) {
                found(value.range(), kind, Evidence::Position);
            }
        }
    }
    if quoted {
        for value in
            patterns.quoted.captures_iter(text).filter_map(|found| found.iter().skip(1).flatten().next())
        {
            found(value.range(), NameKind::Any, Evidence::Position);
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
