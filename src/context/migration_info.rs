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
//! what an object says is kept in its [`ObjectFacts`], and findings share the sets of names: copying a thousand
//! databases for each of a thousand findings would take longer than all else.

use super::document::{Document, ObjectView};
use super::fields::{MAX_NAME, State};
use super::time::{self, Time};
use crate::matcher::work;
use crate::redact::{UUID_CHARS, is_uuid};
use jiff::tz::TimeZone;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::cell::OnceCell;
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
    /// The databases that the resource names, at most `MAX_LISTED`, the first by name; findings of one resource share the
    /// set.
    pub databases: Arc<BTreeSet<String>>,
    /// Tracking and correlation ids: a set for each object around the finding that has any, and one for its line.
    /// Findings share the sets.
    pub tracking: Vec<Arc<BTreeSet<String>>>,
    /// The state that the migration is in.
    pub state: Option<State>,
    /// When the first of its steps started.
    pub started: Option<Time>,
    /// When the last of its steps ended or, as long as it is running, started.
    pub ended: Option<Time>,
}

const SOURCE_KEYS: [&str; 2] = ["sourceDbServerResourceId", "sourceDbServerFullyQualifiedDomainName"];
const TARGET_KEYS: [&str; 2] = ["targetDbServerResourceId", "targetDbServerFullyQualifiedDomainName"];
/// The most names of one kind that an object is asked for: more than a summary keeps, so that the summary is the same.
pub(crate) const MAX_LISTED: usize = 1_001;
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

/// What one object says about a migration.
#[derive(Debug)]
pub(super) struct ObjectFacts {
    /// The ids that it has.
    tracking: Option<Arc<BTreeSet<String>>>,
    /// The server that its record is from.
    server: Option<String>,
    /// What the resource says, once it was asked for, if the object is one that names servers.
    resource: Option<OnceCell<Arc<MigrationInfo>>>,
}

impl ObjectFacts {
    /// Reads an object, apart from a resource in it.
    pub(super) fn new(object: ObjectView<'_>) -> ObjectFacts {
        let (mut tracking, mut server) = (BTreeSet::new(), None);
        for (key, value) in object.strings() {
            let is = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
            if is(&TRACKING_KEYS) && is_uuid(value.as_bytes()) {
                insert(&mut tracking, value.to_ascii_lowercase());
            } else if server.is_none()
                && value.starts_with('/')
                && value.len() <= MAX_NAME
                && is(&RESOURCE_KEYS)
            {
                server = server_of(value);
            }
        }
        ObjectFacts {
            tracking: (!tracking.is_empty()).then(|| Arc::new(tracking)),
            server,
            resource: is_resource(object).then(OnceCell::new),
        }
    }
}

/// Joins what the objects around a finding say, each with its index, innermost first: the migration's resource, and the
/// ids and the server of the objects. None if there is neither.
pub(super) fn joined<'f>(
    document: &Document,
    objects: impl Iterator<Item = (usize, &'f ObjectFacts)>,
) -> Option<Arc<MigrationInfo>> {
    let mut own = MigrationInfo::default();
    let mut info: Option<Arc<MigrationInfo>> = None;
    for (index, object) in objects {
        own.tracking.extend(object.tracking.clone());
        own.server = own.server.or_else(|| object.server.clone());
        if let (None, Some(resource)) = (&info, &object.resource) {
            info = Some(resource.get_or_init(|| Arc::new(read_resource(document, index))).clone());
        }
    }
    match info {
        None => (own != MigrationInfo::default()).then(|| Arc::new(own)),
        Some(info) if own == MigrationInfo::default() => Some(info),
        Some(info) => {
            let MigrationInfo { server, tracking, .. } = own;
            Some(Arc::new(MigrationInfo { server, tracking, ..MigrationInfo::clone(&info) }))
        }
    }
}

/// Whether the object is the one of a migration's resource that names its servers.
fn is_resource(object: ObjectView<'_>) -> bool {
    object.has_key(|key| SOURCE_KEYS.iter().chain(&TARGET_KEYS).any(|known| known.eq_ignore_ascii_case(key)))
}

/// Reads the resource in which the object `index` names the servers.
fn read_resource(document: &Document, index: usize) -> MigrationInfo {
    let mut info = MigrationInfo::default();
    let object = document.object(index);
    let is_name = |value: &str| !value.is_empty() && value.len() <= MAX_NAME;
    let get = |keys: &[&str]| object.get(keys).filter(|value| is_name(value)).map(Cow::into_owned);
    // A server on premises is written `host:port@user`; the user is not part of its name.
    info.source = get(&SOURCE_KEYS).map(|source| match source.rsplit_once('@') {
        Some((server, _)) if !server.is_empty() && !source.starts_with('/') => server.to_string(),
        _ => source,
    });
    info.target = get(&TARGET_KEYS);
    info.resource = migration_id(object).or_else(|| migration_id(document.object(document.parent(index)?)));
    let mut databases = BTreeSet::new();
    document.array_strings(index).into_iter().for_each(|name| insert(&mut databases, name));
    for (object, outer) in document.within(index) {
        work::add(1);
        if let Some(name) = object.get(&["databaseName"]).filter(|name| !name.is_empty()) {
            insert(&mut databases, name.into_owned());
        } else if outer == Some("dbDetails") {
            object.name.into_iter().for_each(|name| insert(&mut databases, name.to_string()));
        }
        if object.name == Some("currentStatus") {
            info.state =
                object.get(&["state"]).filter(|state| is_name(state)).map(|state| State::from(&*state));
        }
        for (_, value) in object.strings().filter(|(key, _)| STEP_KEYS.contains(key)) {
            if let Some((time, _)) = time::first(value, &TimeZone::UTC) {
                info.started = Some(info.started.map_or(time, |known| known.min(time)));
                info.ended = info.ended.max(Some(time));
            }
        }
    }
    info.databases = Arc::new(databases);
    info
}

/// Adds a name, if it is one of the first [`MAX_LISTED`].
fn insert(names: &mut BTreeSet<String>, name: String) {
    names.insert(name);
    if names.len() > MAX_LISTED {
        names.pop_last();
    }
}

/// The resource id of a migration, if the object has it.
fn migration_id(object: ObjectView<'_>) -> Option<String> {
    let id = object.get(&["id"]).filter(|id| id.len() <= MAX_NAME)?;
    id.to_ascii_lowercase().contains("/migrations/").then(|| id.into_owned())
}

/// The server in a resource id, in lower case: exports write it in upper case, and Azure ignores the case.
fn server_of(resource: &str) -> Option<String> {
    let mut parts = resource.split('/');
    parts.find(|part| ["flexibleServers", "servers"].iter().any(|kind| kind.eq_ignore_ascii_case(part)))?;
    parts.next().filter(|name| !name.is_empty()).map(str::to_ascii_lowercase)
}

/// Ids that the text of a line calls tracking or correlation ids.
pub(super) fn ids_in_line(text: &[u8]) -> Option<Arc<BTreeSet<String>>> {
    // Without the first letter, so that its case does not matter.
    static WORDS: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| [Finder::new(b"racking"), Finder::new(b"orrelation")]);
    let mut ids = BTreeSet::new();
    for word in &*WORDS {
        for at in word.find_iter(text) {
            ids.extend(id_after(&text[at + word.needle().len()..]));
        }
    }
    (!ids.is_empty()).then(|| Arc::new(ids))
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

    fn read(document: &Document, text: &str, mark: &str) -> Arc<MigrationInfo> {
        let innermost = document.innermost(text.find(mark).expect("present")).expect("an object");
        let facts =
            document.outwards(innermost).map(|index| (index, ObjectFacts::new(document.object(index))));
        let facts: Vec<_> = facts.collect();
        joined(document, facts.iter().map(|(index, facts)| (*index, facts))).expect("a migration")
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
            let found = ids_in_line(text.as_bytes()).unwrap_or_default();
            assert_eq!(found.iter().collect::<Vec<_>>(), [&id.to_ascii_lowercase()], "{text}");
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
