//! Names that have parts: servers with domain and port, resource ids, paths.
//!
//! A name comes in, the same with tokens for its private parts goes out. Public parts (the domain that all servers of
//! the service share, the names of resource types, a file's extension) stay, so that a command with a redacted id is
//! still a command, and a server has one token, with or without its domain:
//!
//! ```text
//! src-1:5432                                   server-7f3a5b0c9d1e2f34:5432
//! SRC-1.postgres.database.azure.com            server-7f3a5b0c9d1e2f34.postgres.database.azure.com
//! /subscriptions/S/resourceGroups/G/…/src-1    /subscriptions/subscription-…/resourceGroups/group-…/…/server-7f3a…
//! ```
//!
//! It does not know where names come from.

use super::Redactor;
use crate::source::{Origin, STDIN};
use std::net::IpAddr;
use std::path::Path;

/// Public domains whose subdomains are private names.
const PUBLIC_DOMAINS: [&str; 2] = [".private.postgres.database.azure.com", ".postgres.database.azure.com"];

/// Types in resource ids with the kind of the name that follows; after any other type it is a `resource`.
const RESOURCE_TYPES: [(&str, &str); 7] = [
    ("subscriptions", "subscription"),
    ("resourcegroups", "group"),
    ("flexibleservers", "server"),
    ("servers", "server"),
    ("singleservers", "server"),
    ("databases", "database"),
    ("migrations", "migration"),
];

/// Extensions of file names that are kept: formats, not names.
const EXTENSIONS: [&str; 24] = [
    "log", "txt", "json", "ndjson", "jsonl", "csv", "tsv", "xml", "html", "yaml", "yml", "md", "eml", "out",
    "err", "sql", "gz", "zst", "xz", "bz2", "lz4", "zip", "tar", "tgz",
];
/// The most extensions that are kept: `.log.tar.gz`.
const MAX_EXTENSIONS: usize = 3;

impl Redactor {
    /// Redacts the name of a server: a resource id, an address, or a host with or without domain and port.
    pub fn server(&self, name: &str) -> String {
        if name.starts_with('/') {
            return self.resource(name);
        }
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.token("address", &address.to_string());
        }
        let (host, port) = match name.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, &name[host.len()..])
            }
            _ => (name, ""),
        };
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return format!("{}{port}", self.token("address", &address.to_string()));
        }
        // Names of hosts and of resources ignore case.
        let host = host.to_ascii_lowercase();
        let own = PUBLIC_DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)).unwrap_or(&host);
        format!("{}{}{port}", self.token("server", own), &host[own.len()..])
    }

    /// Redacts a resource id: types are kept, names become tokens.
    pub fn resource(&self, id: &str) -> String {
        // The kind of name that the next part is, if the part before says so.
        let mut names = None;
        let redacted: Vec<String> = id
            .split('/')
            .map(|part| {
                let lower = part.to_ascii_lowercase();
                let kind = RESOURCE_TYPES.iter().find(|(known, _)| *known == lower).map(|(_, kind)| *kind);
                match names.take() {
                    Some("provider") if lower.starts_with("microsoft.") => part.to_string(),
                    Some(named) => self.token(named, &lower),
                    None if lower == "providers" => {
                        names = Some("provider");
                        part.to_string()
                    }
                    None if kind.is_some() => {
                        names = kind;
                        part.to_string()
                    }
                    None => self.token("resource", &lower),
                }
            })
            .collect();
        redacted.join("/")
    }

    /// Redacts a migration's id: a resource id or a name. A UUID stays: it says nothing, and support asks for it.
    pub fn migration(&self, id: &str) -> String {
        if is_uuid(id.as_bytes()) {
            id.to_string()
        } else if id.starts_with('/') {
            self.resource(id)
        } else {
            self.token("migration", &id.to_ascii_lowercase())
        }
    }

    /// Redacts the name of a source: path and member become one token each, with their extensions.
    pub fn origin(&self, origin: &Origin) -> Origin {
        Origin {
            path: self.path(&origin.path).into(),
            member: origin.member.as_deref().map(|member| self.file("member", member)),
        }
    }

    fn path(&self, path: &Path) -> String {
        if path == Path::new(STDIN) { STDIN.into() } else { self.file("path", &path.to_string_lossy()) }
    }

    fn file(&self, kind: &str, name: &str) -> String {
        let mut kept = name.len();
        for _ in 0..MAX_EXTENSIONS {
            let Some(dot) = name[..kept].rfind('.') else { break };
            if !EXTENSIONS.iter().any(|known| name[dot + 1..kept].eq_ignore_ascii_case(known)) {
                break;
            }
            kept = dot;
        }
        format!("{}{}", self.token(kind, name), &name[kept..])
    }
}

/// The length of a UUID as text, in bytes.
pub const UUID_CHARS: usize = 36;

/// Whether `text` has the form of a UUID.
pub fn is_uuid(text: &[u8]) -> bool {
    let dash = |at| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, byte): (usize, &u8)| if dash(at) { *byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == UUID_CHARS && text.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::KEY_BYTES;

    fn redactor() -> Redactor {
        Redactor::new(&[7; KEY_BYTES])
    }

    #[test]
    fn a_server_has_one_token_in_all_its_spellings() {
        let redactor = redactor();
        let token = redactor.server("src-1");
        assert!(token.starts_with("server-"), "{token}");
        assert_eq!(redactor.server("SRC-1:5432"), format!("{token}:5432"));
        let domain = "postgres.database.azure.com";
        assert_eq!(redactor.server(&format!("src-1.{domain}")), format!("{token}.{domain}"));
        let id =
            "/subscriptions/S/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/Src-1";
        let redacted = redactor.server(id);
        assert!(redacted.ends_with(&format!("/flexibleServers/{token}")), "{redacted}");
        assert!(redacted.contains("/providers/Microsoft.DBforPostgreSQL/"), "{redacted}");
        assert!(redacted.starts_with("/subscriptions/subscription-"), "{redacted}");
        assert_eq!(
            redactor.server(&id.to_ascii_uppercase()).to_ascii_lowercase(),
            redacted.to_ascii_lowercase()
        );
        let address = redactor.server("10.0.0.4");
        assert!(address.starts_with("address-"), "{address}");
        assert_eq!(redactor.server("10.0.0.4:5432"), format!("{address}:5432"));
        assert_eq!(redactor.server("[fe80::1]:5432"), format!("{}:5432", redactor.server("fe80::1")));
        assert_eq!(redactor.server(""), "");
    }

    #[test]
    fn only_public_parts_of_an_id_stay() {
        let redacted = redactor().resource("/home/jdoe/providers/Acme.Thing/servers/x//y");
        for name in ["home", "jdoe", "Acme", "x", "y"] {
            assert!(!redacted.split(['/', '-', '.']).any(|part| part == name), "{name} in {redacted}");
        }
    }

    #[test]
    fn only_extensions_of_paths_stay() {
        let redactor = redactor();
        let file = |path: &str| redactor.origin(&Origin::path(Path::new(path))).to_string();
        assert_eq!(file("-"), "-");
        assert!(file("/home/jdoe/contoso.prod.log.gz").ends_with(".log.gz"));
        assert!(!file("/home/jdoe/contoso.prod.log.gz").contains("prod"));
        assert!(!file("x.contoso").contains("contoso"));
        assert_ne!(file("a/x.log"), file("b/x.log"));
        let member = Origin { path: "-".into(), member: Some("acme/a.log.gz!acme.log".into()) };
        assert!(!redactor.origin(&member).to_string().contains("acme"));
    }
}
