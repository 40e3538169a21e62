//! Servers: a name or an Azure resource id in, the parts that commands need out.

use super::Support;
use crate::catalog::Side;

/// A server as commands name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name, without a port; of a resource id, the last part.
    pub name: String,
    /// The resource group, if a resource id names it.
    pub group: Option<String>,
    /// Whether a resource id shows that it is a flexible server.
    pub flexible: bool,
}

impl Server {
    /// Reads a name, or a resource id such as `/subscriptions/…/resourceGroups/g/…/flexibleServers/name`.
    pub fn parse(text: &str) -> Server {
        let parts: Vec<&str> = text.split('/').collect();
        let after = |key: &str| {
            let at = parts.iter().position(|part| part.eq_ignore_ascii_case(key))?;
            parts.get(at + 1).filter(|part| !part.is_empty()).map(ToString::to_string)
        };
        let flexible = after("flexibleServers");
        match flexible.clone().or_else(|| after("servers")) {
            Some(name) if text.starts_with('/') => {
                Server { name, group: after("resourceGroups"), flexible: flexible.is_some() }
            }
            // Messages name servers without their port.
            _ => {
                let host =
                    text.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
                let name = host.map_or(text, |(host, _)| host).to_string();
                Server { name, group: None, flexible: false }
            }
        }
    }
}

impl Support {
    /// The server on `side`, if the migrations name exactly one.
    pub fn server(&self, side: Side) -> Option<Server> {
        let named = match side {
            Side::Source => &self.sources,
            Side::Target => &self.targets,
            Side::Both | Side::Service => return None,
        };
        match &named[..] {
            [one] => Some(Server::parse(one)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resource_ids_and_names_are_read() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/tgt";
        let server = Server::parse(id);
        assert_eq!(server, Server { name: "tgt".into(), group: Some("g".into()), flexible: true });
        let server = Server::parse("src.internal:5432");
        assert_eq!(server, Server { name: "src.internal".into(), group: None, flexible: false });
        assert_eq!(Server::parse("/x/flexibleServers/").name, "/x/flexibleServers/");
    }
}
