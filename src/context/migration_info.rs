//! Migration info: what a migration's resource says around a finding, and the ids its record can be searched
//! by.
//!
//! A document and an offset in it come in, or the text of a line; names of servers and databases and ids go
//! out. It does not know what was found there.
//!
//! # How a migration resource is read
//!
//! `az postgres flexible-server migration show` prints one JSON document for a migration:
//!
//! ```json
//! {"id": "/subscriptions/…/migrations/first",
//!  "properties": {
//!    "sourceDbServerResourceId": "src:5432@mig", "targetDbServerResourceId": "/…/flexibleServers/tgt",
//!    "dbsToMigrate": ["orders"],
//!    "currentStatus": {"state": "Failed", "currentSubStateDetails": {"dbDetails": {"orders": {"message": "…"}}}}}}
//! ```
//!
//! The servers are named once, in `properties`, far above the message of a failure, and apply to every
//! message inside. So the enclosing objects are searched from the message outwards for one that names a
//! source or target server: that one is the resource. From it everything else is read: the id (its own, or
//! that of the object around it), the databases (the list, the keys of `dbDetails` and every `databaseName`),
//! the state and the times of the steps. A `list` prints an array of such objects; because the nearest one
//! counts, each message gets its own migration. The same resource usually encloses many findings, so
//! [`MigrationReader`] remembers the last one.

use super::document::{Document, ObjectView};
use super::fields::State;
use super::time::{self, Time};
use crate::redact::{UUID_CHARS, is_uuid};
use jiff::tz::TimeZone;
use memchr::memmem::Finder;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

/// What a migration's resource and a record's own ids say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MigrationInfo {
    /// The resource id of the migration.
    pub resource: Option<String>,
    /// The source server, as the resource names it.
    pub source: Option<String>,
    /// The target server, as the resource names it: by resource id or by host name.
    pub target: Option<String>,
    /// The server that an exported record is from.
    pub server: Option<String>,
    /// The databases that the resource names.
    pub databases: BTreeSet<String>,
    /// Tracking and correlation ids.
    pub tracking: BTreeSet<String>,
    /// The state that the migration is in.
    pub state: Option<State>,
    /// When the first of its steps started.
    pub started: Option<Time>,
    /// When the last of its steps ended or, as long as it is running, started.
    pub ended: Option<Time>,
}

const SOURCE_KEYS: [&str; 2] = ["sourceDbServerResourceId", "sourceDbServerFullyQualifiedDomainName"];
const TARGET_KEYS: [&str; 2] = ["targetDbServerResourceId", "targetDbServerFullyQualifiedDomainName"];
/// Keys of ids that the service's and Azure's support can search for.
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
/// Keys of the resource that an exported record is from.
const RESOURCE_KEYS: [&str; 2] = ["resourceId", "_ResourceId"];
/// Keys of the times at which a step started or ended.
const STEP_KEYS: [&str; 4] = ["startedOn", "endedOn", "validationStartTimeInUtc", "validationEndTimeInUtc"];

/// Reads the migration info of one document.
#[derive(Debug, Default)]
pub(super) struct MigrationReader {
    /// The index of the resource object read last, and what it says.
    last: RefCell<Option<(usize, Arc<MigrationInfo>)>>,
}

impl MigrationReader {
    /// What the migration's resource around `offset` says, with the ids of the objects around it; none if
    /// there is neither.
    pub(super) fn read(&self, document: &Document<'_>, offset: usize) -> Option<Arc<MigrationInfo>> {
        let own = ids(document.around(offset));
        let is_resource = |index: &usize| is_resource(document.object(*index));
        let Some(index) = document.indices_around(offset).find(is_resource) else {
            return (own != MigrationInfo::default()).then(|| Arc::new(own));
        };
        let mut last = self.last.borrow_mut();
        let info = match &*last {
            Some((known, info)) if *known == index => info.clone(),
            _ => last.insert((index, Arc::new(resource(document, index)))).1.clone(),
        };
        if own == MigrationInfo::default() {
            return Some(info);
        }
        let MigrationInfo { server, tracking, .. } = own;
        Some(Arc::new(MigrationInfo { server, tracking, ..MigrationInfo::clone(&info) }))
    }
}

/// Whether the object is the one of a migration's resource that names its servers.
fn is_resource(object: ObjectView<'_>) -> bool {
    object.has_key(|key| SOURCE_KEYS.iter().chain(&TARGET_KEYS).any(|known| known.eq_ignore_ascii_case(key)))
}

/// Reads the resource in which the object `index` names the servers.
fn resource(document: &Document<'_>, index: usize) -> MigrationInfo {
    let mut info = MigrationInfo::default();
    let object = document.object(index);
    let get =
        |keys: &[&str]| object.get(keys).map(|value| value.into_owned()).filter(|value| !value.is_empty());
    // A server on premises is written `host:port@user`; the user is not part of its name.
    info.source = get(&SOURCE_KEYS).map(|source| match source.rsplit_once('@') {
        Some((server, _)) if !server.is_empty() && !source.starts_with('/') => server.to_string(),
        _ => source,
    });
    info.target = get(&TARGET_KEYS);
    info.resource = migration_id(object).or_else(|| migration_id(document.object(document.parent(index)?)));
    info.databases.extend(document.array_strings(index));
    for (object, outer) in document.within(index) {
        if let Some(name) = object.get(&["databaseName"]).filter(|name| !name.is_empty()) {
            info.databases.insert(name.into_owned());
        } else if outer == Some("dbDetails") {
            info.databases.extend(object.name.map(str::to_string));
        }
        if object.name == Some("currentStatus") {
            info.state =
                object.get(&["state"]).filter(|state| !state.is_empty()).map(|state| State::from(&*state));
        }
        for (_, value) in object.strings().filter(|(key, _)| STEP_KEYS.contains(key)) {
            if let Some((time, _)) = time::first(value, &TimeZone::UTC) {
                info.started = Some(info.started.map_or(time, |known| known.min(time)));
                info.ended = info.ended.max(Some(time));
            }
        }
    }
    info
}

/// The resource id of a migration, if the object has it.
fn migration_id(object: ObjectView<'_>) -> Option<String> {
    let id = object.get(&["id"])?;
    id.to_ascii_lowercase().contains("/migrations/").then(|| id.into_owned())
}

/// The ids and the server that the objects around a finding name, apart from the migration's resource.
fn ids<'d>(objects: impl Iterator<Item = ObjectView<'d>>) -> MigrationInfo {
    let mut info = MigrationInfo::default();
    for object in objects {
        for (key, value) in object.strings() {
            let is = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
            if is(&TRACKING_KEYS) && is_uuid(value.as_bytes()) {
                info.tracking.insert(value.to_ascii_lowercase());
            } else if info.server.is_none() && value.starts_with('/') && is(&RESOURCE_KEYS) {
                info.server = server_of(value);
            }
        }
    }
    info
}

/// The server in a resource id, in lower case: exports write it in upper case, and Azure ignores the case.
fn server_of(resource: &str) -> Option<String> {
    let mut parts = resource.split('/');
    parts.find(|part| ["flexibleServers", "servers"].iter().any(|kind| kind.eq_ignore_ascii_case(part)))?;
    parts.next().filter(|name| !name.is_empty()).map(str::to_ascii_lowercase)
}

/// Ids that the text of a line calls tracking or correlation ids.
pub(super) fn ids_in_line(text: &[u8]) -> Option<MigrationInfo> {
    // Without the first letter, so that its case does not matter.
    static WORDS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| [Finder::new(b"racking"), Finder::new(b"orrelation")]);
    let mut info: Option<MigrationInfo> = None;
    for word in &*WORDS {
        for at in word.find_iter(text) {
            if let Some(id) = id_after(&text[at + word.needle().len()..]) {
                info.get_or_insert_default().tracking.insert(id);
            }
        }
    }
    info
}

/// The id in `Tracking ID: '…'`, `trackingId=…`, `\"correlationId\": \"…\"`, given the text after the first
/// word.
fn id_after(rest: &[u8]) -> Option<String> {
    let is_other =
        |byte: &u8| !matches!(byte, b' ' | b'_' | b'-' | b':' | b'=' | b'\'' | b'"' | b'`' | b'\\' | b'(');
    let rest = &rest[rest.iter().position(is_other)?..];
    let rest = rest.get(2..).filter(|_| rest[..2].eq_ignore_ascii_case(b"id")).unwrap_or(rest);
    let start = rest.iter().take(12).position(is_other)?;
    let id = rest.get(start..start + UUID_CHARS).filter(|id| is_uuid(id))?;
    Some(String::from_utf8_lossy(id).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &Document<'_>, text: &str, mark: &str) -> Arc<MigrationInfo> {
        let offset = text.find(mark).expect("present");
        MigrationReader::default().read(document, offset).expect("a migration")
    }

    #[test]
    fn ids_are_recognized_by_the_word_before_them() {
        let id = "5C603104-88d1-4c1d-8e60-603105603107";
        for text in [
            format!("An unexpected error occurred. Tracking ID: '{id}'"),
            format!("(trackingId={id})"),
            format!(r#"{{\"correlationId\": \"{id}\"}}"#),
            format!("Correlation {id}"),
        ] {
            let found = ids_in_line(text.as_bytes()).unwrap_or_default().tracking;
            assert_eq!(found.into_iter().collect::<Vec<_>>(), [id.to_ascii_lowercase()], "{text}");
        }
        for text in
            [format!("tracking of {id}"), format!("id {id}"), "Tracking ID: 12".into(), "racking".into()]
        {
            assert_eq!(ids_in_line(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn servers_are_named_by_resource_ids() {
        let id = "/SUBSCRIPTIONS/X/RESOURCEGROUPS/Y/PROVIDERS/MICROSOFT.DBFORPOSTGRESQL/FLEXIBLESERVERS/CONTOSO-FLEX";
        assert_eq!(server_of(id).as_deref(), Some("contoso-flex"));
        assert_eq!(server_of("/subscriptions/x/resourceGroups/servers"), None);
    }

    #[test]
    fn a_resource_names_its_servers_and_databases() {
        let text = r#"[{"id": "/s/x/migrations/first", "properties": {"sourceDbServerResourceId": "src:5432@mig",
            "targetDbServerResourceId": "/s/x/flexibleServers/tgt", "dbsToMigrate": ["a", "b\u0041", 3],
            "currentStatus": {"error": "HERE", "dbDetails": {"c": {"state": "Failed"}, "x": {"databaseName": "d"}}}}},
            {"id": "/s/x/migrations/second", "dbsToMigrate": ["z"], "message": "THERE",
             "targetDbServerResourceId": "other"}]"#;
        let document = Document::parse(text.as_bytes()).expect("JSON");
        let info = read(&document, text, "HERE");
        assert_eq!(info.resource.as_deref(), Some("/s/x/migrations/first"));
        assert_eq!(info.source.as_deref(), Some("src:5432"));
        assert_eq!(info.target.as_deref(), Some("/s/x/flexibleServers/tgt"));
        assert_eq!(info.databases.iter().collect::<Vec<_>>(), ["a", "bA", "c", "d"]);
        let info = read(&document, text, "THERE");
        assert_eq!((info.source.as_deref(), info.target.as_deref()), (None, Some("other")));
        assert_eq!(info.databases.iter().collect::<Vec<_>>(), ["z"]);
    }
}
