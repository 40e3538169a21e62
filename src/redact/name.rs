//! Names that have parts: servers with domain and port, resource ids, paths.
//!
//! What is public (the domain that all servers share, the names of resource types, a file's extension) stays, so that
//! commands with a redacted id are still commands and a server has one token, however it is called.

use super::Redactor;
use crate::source::{Origin, STDIN};
use std::net::IpAddr;
use std::path::Path;

/// Domains below which names are somebody's own, and the domains themselves are not.
const PUBLIC_DOMAINS: [&str; 2] = [".private.postgres.database.azure.com", ".postgres.database.azure.com"];

/// Types of resources with what they name; what stands behind any other type is a `resource`.
const RESOURCE_TYPES: [(&str, &str); 7] = [
    ("subscriptions", "subscription"),
    ("resourcegroups", "group"),
    ("flexibleservers", "server"),
    ("servers", "server"),
    ("singleservers", "server"),
    ("databases", "database"),
    ("migrations", "migration"),
];

/// What file names may end with and keep: formats, not names.
const EXTENSIONS: [&str; 24] = [
    "log", "txt", "json", "ndjson", "jsonl", "csv", "tsv", "xml", "html", "yaml", "yml", "md", "eml", "out",
    "err", "sql", "gz", "zst", "xz", "bz2", "lz4", "zip", "tar", "tgz",
];
/// The most extensions that are kept: `.log.tar.gz`.
const MAX_EXTENSIONS: usize = 3;

impl Redactor {
    /// The token for a server: a resource id, an address, or a host with or without domain and port.
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
        // Neither names of hosts nor those of resources are told apart by case.
        let host = host.to_ascii_lowercase();
        let own = PUBLIC_DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)).unwrap_or(&host);
        format!("{}{}{port}", self.token("server", own), &host[own.len()..])
    }

    /// A resource id whose types are kept and whose names are tokens.
    pub fn resource(&self, id: &str) -> String {
        // What the next part names, if the part before says so.
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

    /// A migration's id: that of a resource, or a name; a UUID says nothing and support asks for it.
    pub fn migration(&self, id: &str) -> String {
        if is_uuid(id.as_bytes()) {
            id.to_string()
        } else if id.starts_with('/') {
            self.resource(id)
        } else {
            self.token("migration", &id.to_ascii_lowercase())
        }
    }

    /// The name of a source, path and member each as one token with their extensions.
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

/// How long a UUID is in its text form, in bytes.
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
    fn a_server_has_one_token_however_it_is_called() {
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
    fn only_what_is_public_stays_of_an_id() {
        let redacted = redactor().resource("/home/jdoe/providers/Acme.Thing/servers/x//y");
        for name in ["home", "jdoe", "Acme", "x", "y"] {
            assert!(!redacted.split(['/', '-', '.']).any(|part| part == name), "{name} in {redacted}");
        }
    }

    #[test]
    fn of_paths_only_extensions_stay() {
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
