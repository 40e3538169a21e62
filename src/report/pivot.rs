//! Pivots: matrices of extensions by databases, and of servers by codes.
//!
//! The codes of a report come in, two matrices go out, with rows and columns ordered by name. Findings
//! without a database, or without a named server, have a column or row of their own: none is dropped, and
//! none is assigned by a guess.

use super::{CodeReport, Support};
use crate::catalog::{Side, Subject};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most rows and columns of a matrix.
pub const MAX_SIDE: usize = 200;

/// A row of the server matrix: the name of a server and its side, as far as each is known.
type ServerKey = (Option<String>, Option<Side>);

/// The matrices of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Pivots {
    /// Which extensions block which databases.
    pub extensions: ExtensionMatrix,
    /// Which codes occur on which servers.
    pub servers: ServerMatrix,
}

/// Extensions by databases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct ExtensionMatrix {
    /// The columns.
    pub databases: Vec<String>,
    /// A row for each extension.
    pub rows: Vec<ExtensionRow>,
    /// Whether there are more rows or columns than shown.
    pub truncated: bool,
}

/// The databases that an extension blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct ExtensionRow {
    /// Its name.
    pub extension: String,
    /// For each database the ids of the entries that name the extension; empty where none does.
    pub cells: Vec<Vec<String>>,
    /// The ids that name it without a database.
    #[serde(rename = "elsewhere")]
    pub without_database: Vec<String>,
}

/// Servers by codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct ServerMatrix {
    /// The columns: ids in the report's order.
    pub codes: Vec<String>,
    /// A row for each server.
    pub rows: Vec<ServerRow>,
    /// Whether there are more rows or columns than shown.
    pub truncated: bool,
}

/// The findings on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct ServerRow {
    /// Its name; none where the logs do not name it.
    pub server: Option<String>,
    /// Its side, where a migration or the entries of the codes declare it.
    pub side: Option<Side>,
    /// Findings of each code.
    pub cells: Vec<u64>,
}

impl Pivots {
    /// The matrices of `codes`.
    pub fn new(codes: &[CodeReport], support: &Support) -> Pivots {
        Pivots { extensions: extensions(codes), servers: servers(codes, support) }
    }
}

fn extensions(codes: &[CodeReport]) -> ExtensionMatrix {
    // The ids by extension, then by database; `None` where a finding has no database.
    let mut found: BTreeMap<&str, BTreeMap<Option<&str>, BTreeSet<&str>>> = BTreeMap::new();
    for code in codes {
        for set in &code.args {
            let entry = code.entry.as_deref();
            for extension in
                entry.into_iter().flat_map(|entry| entry.values_of(Subject::Extension, &set.args))
            {
                let row = found.entry(extension).or_default();
                for database in set.databases.keys() {
                    row.entry(Some(database)).or_default().insert(&*code.id);
                }
                if set.databases.is_empty() {
                    row.entry(None).or_default().insert(&*code.id);
                }
            }
        }
    }
    let databases: BTreeSet<&str> = found.values().flat_map(|row| row.keys().copied().flatten()).collect();
    let truncated = found.len() > MAX_SIDE || databases.len() > MAX_SIDE;
    let databases: Vec<&str> = databases.into_iter().take(MAX_SIDE).collect();
    let ids = |ids: Option<&BTreeSet<&str>>| ids.into_iter().flatten().map(ToString::to_string).collect();
    let rows = found.iter().take(MAX_SIDE).map(|(extension, row)| ExtensionRow {
        extension: (*extension).to_string(),
        cells: databases.iter().map(|database| ids(row.get(&Some(*database)))).collect(),
        without_database: ids(row.get(&None)),
    });
    let rows = rows.collect();
    ExtensionMatrix { databases: databases.into_iter().map(str::to_string).collect(), rows, truncated }
}

fn servers(codes: &[CodeReport], support: &Support) -> ServerMatrix {
    let mut found: BTreeMap<ServerKey, BTreeMap<&str, u64>> = BTreeMap::new();
    // A server that a migration names too is one row with that, whatever its case.
    let sides =
        [Side::Source, Side::Target].map(|side| (support.server(side).map(|server| server.name), side));
    let known = |server: &str| {
        let same = |(name, _): &&(Option<String>, Side)| {
            name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(server))
        };
        let found = sides.iter().find(same);
        (
            found.map_or_else(|| Some(server.to_string()), |(name, _)| name.clone()),
            found.map(|(_, side)| *side),
        )
    };
    for code in codes {
        let mut unnamed = code.count;
        for (server, count) in &code.servers {
            unnamed = unnamed.saturating_sub(*count);
            *found.entry(known(server)).or_default().entry(&code.id).or_default() += count;
        }
        // A finding that names no server concerns the side of its entry.
        if unnamed > 0 {
            let side = code.side();
            let server = side.and_then(|side| support.server(side)).map(|server| server.name);
            *found.entry((server, side)).or_default().entry(&code.id).or_default() += unnamed;
        }
    }
    let truncated = found.len() > MAX_SIDE || codes.len() > MAX_SIDE;
    let columns: Vec<&str> = codes.iter().take(MAX_SIDE).map(|code| &*code.id).collect();
    let mut rows: Vec<ServerRow> = found
        .into_iter()
        .map(|((server, side), counts)| ServerRow {
            server,
            side,
            cells: columns.iter().map(|id| counts.get(id).copied().unwrap_or_default()).collect(),
        })
        .collect();
    // Named servers first.
    rows.sort_by_key(|row| row.server.is_none());
    rows.truncate(MAX_SIDE);
    ServerMatrix { codes: columns.into_iter().map(str::to_string).collect(), rows, truncated }
}
