//! About the migration: what its resource says around a finding, and the ids its record can be searched by.
//!
//! A document and a place in it come in, or a line; names of servers, databases and ids go out. The source and target
//! stand once in a migration's resource, far from its messages, and belong to all of them.

use super::document::{Document, Level};
use super::time::{self, Time};
use crate::redact::{UUID_CHARS, is_uuid};
use jiff::tz::TimeZone;
use memchr::memmem::Finder;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What a migration's resource and a record's own ids say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The resource id of the migration.
    pub resource: Option<String>,
    /// The source server, as the resource names it.
    pub source: Option<String>,
    /// The target server, as the resource names it: its resource id, where that is given.
    pub target: Option<String>,
    /// The server whose log an exported record is from.
    pub server: Option<String>,
    /// The databases that the resource names.
    pub databases: BTreeSet<String>,
    /// Tracking and correlation ids.
    pub tracking: BTreeSet<String>,
    /// The state that the migration is in.
    pub state: Option<String>,
    /// When the first of its steps began.
    pub began: Option<Time>,
    /// When the last of its steps ended, or began.
    pub ended: Option<Time>,
}

const SOURCE_KEYS: [&str; 2] = ["sourceDbServerResourceId", "sourceDbServerFullyQualifiedDomainName"];
const TARGET_KEYS: [&str; 2] = ["targetDbServerResourceId", "targetDbServerFullyQualifiedDomainName"];
/// Keys under which the service and Azure give ids that their support can search for.
const TRACKING_KEYS: [&str; 8] = [
    "trackingId",
    "correlationId",
    "activityId",
    "operationId",
    "requestId",
    "clientRequestId",
    "x-ms-request-id",
    "x-ms-correlation-request-id",
];
/// Keys under which exported records give the resource whose log they are from.
const RESOURCE_KEYS: [&str; 2] = ["resourceId", "_ResourceId"];
/// Keys under which the resource says when a step began or ended.
const STEP_KEYS: [&str; 4] = ["startedOn", "endedOn", "validationStartTimeInUtc", "validationEndTimeInUtc"];

/// Whether the object is the one of a migration's resource that names its servers.
pub(super) fn is_migration(level: Level<'_>) -> bool {
    level.names(|name| SOURCE_KEYS.iter().chain(&TARGET_KEYS).any(|key| key.eq_ignore_ascii_case(name)))
}

/// What the resource says whose servers the object `index` names.
pub(super) fn resource(document: &Document<'_>, index: usize) -> About {
    let mut about = About::default();
    let level = document.level(index);
    let get =
        |keys: &[&str]| level.get(keys).map(|value| value.into_owned()).filter(|value| !value.is_empty());
    // On premises it reads `host:port@user`; the user is no part of the server.
    about.source = get(&SOURCE_KEYS).map(|source| match source.rsplit_once('@') {
        Some((server, _)) if !server.is_empty() && !source.starts_with('/') => server.to_string(),
        _ => source,
    });
    about.target = get(&TARGET_KEYS);
    about.resource = migration_id(level).or_else(|| migration_id(document.level(document.parent(index)?)));
    about.databases.extend(document.names_within(index));
    for (level, above) in document.within(index) {
        if let Some(name) = level.get(&["databaseName"]).filter(|name| !name.is_empty()) {
            about.databases.insert(name.into_owned());
        } else if above == Some("dbDetails") {
            about.databases.extend(level.name.map(str::to_string));
        }
        if level.name == Some("currentStatus") {
            about.state =
                level.get(&["state"]).map(|state| state.into_owned()).filter(|state| !state.is_empty());
        }
        for (_, value) in level.strings().filter(|(key, _)| STEP_KEYS.contains(key)) {
            if let Some((time, _)) = time::first(value, &TimeZone::UTC) {
                about.began = Some(about.began.map_or(time, |known| known.min(time)));
                about.ended = about.ended.max(Some(time));
            }
        }
    }
    about
}

/// The resource id of a migration, if the object has it.
fn migration_id(level: Level<'_>) -> Option<String> {
    let id = level.get(&["id"])?;
    id.to_ascii_lowercase().contains("/migrations/").then(|| id.into_owned())
}

/// What the objects around a finding say beside the migration's resource.
pub(super) fn levels<'d>(levels: impl Iterator<Item = Level<'d>>, about: &mut About) {
    for level in levels {
        for (key, value) in level.strings() {
            let is = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
            if is(&TRACKING_KEYS) && is_uuid(value.as_bytes()) {
                about.tracking.insert(value.to_ascii_lowercase());
            } else if about.server.is_none() && value.starts_with('/') && is(&RESOURCE_KEYS) {
                about.server = server_of(value);
            }
        }
    }
}

/// The server in a resource id, in lower case: exports write it in upper case, and Azure does not tell them apart.
fn server_of(resource: &str) -> Option<String> {
    let mut parts = resource.split('/');
    parts.find(|part| ["flexibleServers", "servers"].iter().any(|kind| kind.eq_ignore_ascii_case(part)))?;
    parts.next().filter(|name| !name.is_empty()).map(str::to_ascii_lowercase)
}

/// Ids that the text of a line calls tracking or correlation ids.
pub(super) fn line(text: &[u8]) -> Option<About> {
    static WORDS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| [Finder::new(b"racking"), Finder::new(b"orrelation")]);
    let mut about: Option<About> = None;
    for word in &*WORDS {
        for at in word.find_iter(text) {
            if let Some(id) = id_behind(&text[at + word.needle().len()..]) {
                about.get_or_insert_default().tracking.insert(id);
            }
        }
    }
    about
}

/// The id in `Tracking ID: '…'`, `trackingId=…`, `\"correlationId\": \"…\"`, whose first word is gone.
fn id_behind(rest: &[u8]) -> Option<String> {
    let between =
        |byte: &u8| !matches!(byte, b' ' | b'_' | b'-' | b':' | b'=' | b'\'' | b'"' | b'`' | b'\\' | b'(');
    let rest = &rest[rest.iter().position(between)?..];
    let rest = rest.get(2..).filter(|_| rest[..2].eq_ignore_ascii_case(b"id")).unwrap_or(rest);
    let start = rest.iter().take(12).position(between)?;
    let id = rest.get(start..start + UUID_CHARS).filter(|id| is_uuid(id))?;
    Some(String::from_utf8_lossy(id).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_by_the_word_before_them() {
        let id = "5C603104-88d1-4c1d-8e60-603105603107";
        for text in [
            format!("An unexpected error occurred. Tracking ID: '{id}'"),
            format!("(trackingId={id})"),
            format!(r#"{{\"correlationId\": \"{id}\"}}"#),
            format!("Correlation {id}"),
        ] {
            let found: Vec<String> = line(text.as_bytes()).unwrap_or_default().tracking.into_iter().collect();
            assert_eq!(found, [id.to_ascii_lowercase()], "{text}");
        }
        for text in
            [format!("tracking of {id}"), format!("id {id}"), "Tracking ID: 12".into(), "racking".into()]
        {
            assert_eq!(line(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn servers_are_named_by_resource_ids() {
        let id = "/SUBSCRIPTIONS/X/RESOURCEGROUPS/Y/PROVIDERS/MICROSOFT.DBFORPOSTGRESQL/FLEXIBLESERVERS/CONTOSO-FLEX";
        assert_eq!(server_of(id).as_deref(), Some("contoso-flex"));
        assert_eq!(server_of("/subscriptions/x/resourceGroups/servers"), None);
    }

    #[test]
    fn a_resource_tells_its_servers_and_databases() {
        let text = r#"[{"id": "/s/x/migrations/first", "properties": {"sourceDbServerResourceId": "src:5432@mig",
            "targetDbServerResourceId": "/s/x/flexibleServers/tgt", "dbsToMigrate": ["a", "b\u0041", 3],
            "currentStatus": {"error": "HERE", "dbDetails": {"c": {"state": "Failed"}, "x": {"databaseName": "d"}}}}},
            {"id": "/s/x/migrations/second", "dbsToMigrate": ["z"], "message": "THERE",
             "targetDbServerResourceId": "other"}]"#;
        let document = Document::parse(text.as_bytes()).expect("JSON");
        let about = document.about(text.find("HERE").expect("there")).expect("a migration");
        assert_eq!(about.resource.as_deref(), Some("/s/x/migrations/first"));
        assert_eq!(about.source.as_deref(), Some("src:5432"));
        assert_eq!(about.target.as_deref(), Some("/s/x/flexibleServers/tgt"));
        assert_eq!(about.databases.iter().collect::<Vec<_>>(), ["a", "bA", "c", "d"]);
        let about = document.about(text.find("THERE").expect("there")).expect("a migration");
        assert_eq!((about.source.as_deref(), about.target.as_deref()), (None, Some("other")));
        assert_eq!(about.databases.iter().collect::<Vec<_>>(), ["z"]);
    }
}
