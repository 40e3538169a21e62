//! Support: the facts that a support case asks for, in one place.
//!
//! The facts of the scanned sources and the codes of a report come in; names, ids, states, times and counts
//! go out. All of them are copied from the logs, none is inferred.

use super::{CatalogStamp, CodeReport};
use crate::catalog::{Actor, Severity};
use crate::context::Time;
use crate::summary::{BoundedNames, MigrationFacts, Times};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The facts for a support case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Support {
    /// Ids of the migrations.
    pub migrations: Vec<String>,
    /// Resource ids of the migrations.
    pub resources: Vec<String>,
    /// Source servers that the migrations' resources name.
    pub sources: Vec<String>,
    /// Target servers that the migrations' resources name.
    pub targets: Vec<String>,
    /// Servers that records name, and servers that wrote the logs.
    pub servers: Vec<String>,
    /// Databases that the migrations' resources name, whether something failed in them or not.
    pub databases: Vec<String>,
    /// States of migrations, databases and validations.
    pub states: Vec<String>,
    /// Tracking and correlation ids.
    pub tracking: Vec<String>,
    /// Whether one of these lists is truncated.
    pub truncated: bool,
    /// The time of the first dated finding.
    pub first: Option<Time>,
    /// The time of the last dated finding.
    pub last: Option<Time>,
    /// The codes, those for support first.
    pub codes: Vec<SupportCode>,
    /// The program's version.
    pub version: String,
    /// The catalogue's edition.
    pub edition: String,
}

/// A list of names that a support case asks for.
#[derive(Debug, Clone, Copy)]
pub struct NameList<'a> {
    /// Its key in JSON.
    pub key: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// The names, each once and in order.
    pub names: &'a [String],
}

/// The findings of one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct SupportCode {
    /// The entry's id.
    pub id: String,
    /// The entry's title.
    pub title: String,
    /// The worst severity found.
    pub severity: Severity,
    /// Who can fix it; none if no catalogue lists it.
    pub actor: Option<Actor>,
    /// Findings.
    pub count: u64,
    /// Failures.
    pub failures: u64,
}

impl Support {
    /// The facts of a scan with these codes.
    pub fn new(
        around: &MigrationFacts,
        window: Times,
        codes: &[CodeReport],
        catalog: &CatalogStamp,
    ) -> Support {
        let mut truncated = false;
        let mut list = |names: &BoundedNames| -> Vec<String> {
            truncated |= names.truncated;
            names.kept.iter().cloned().collect()
        };
        let mut support = Support {
            migrations: list(&around.migrations),
            resources: list(&around.resources),
            sources: list(&around.sources),
            targets: list(&around.targets),
            servers: list(&around.servers),
            databases: list(&around.databases),
            states: list(&around.states),
            tracking: list(&around.tracking),
            truncated,
            first: window.first,
            last: window.last,
            codes: codes.iter().map(SupportCode::new).collect(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            edition: catalog.edition.clone(),
        };
        // A stable sort: otherwise the codes keep the order of the report.
        support.codes.sort_by_key(|code| code.actor != Some(Actor::Support));
        support
    }

    /// The lists of names, in the order of a support case.
    pub fn lists(&self) -> [NameList<'_>; 8] {
        let list = |key, label, names| NameList { key, label, names };
        [
            list("migrations", "migrations", &self.migrations),
            list("resources", "resources", &self.resources),
            list("sources", "sources", &self.sources),
            list("targets", "targets", &self.targets),
            list("servers", "servers", &self.servers),
            list("databases", "databases", &self.databases),
            list("states", "states", &self.states),
            list("tracking", "tracking ids", &self.tracking),
        ]
    }

    /// The facts as a scan collects them, so that reports can be merged. The inverse of [`Support::new`].
    pub fn migration_facts(&self) -> MigrationFacts {
        let names = |list: &[String]| BoundedNames {
            kept: list.iter().cloned().collect(),
            truncated: self.truncated,
        };
        let mut facts = MigrationFacts::default();
        for (kept, listed) in [
            (&mut facts.migrations, &self.migrations),
            (&mut facts.resources, &self.resources),
            (&mut facts.sources, &self.sources),
            (&mut facts.targets, &self.targets),
            (&mut facts.servers, &self.servers),
            (&mut facts.databases, &self.databases),
            (&mut facts.states, &self.states),
            (&mut facts.tracking, &self.tracking),
        ] {
            *kept = names(listed);
        }
        facts
    }
}

impl SupportCode {
    fn new(code: &CodeReport) -> SupportCode {
        SupportCode {
            id: code.id.to_string(),
            title: code.title.to_string(),
            severity: code.severity,
            actor: code.actor(),
            count: code.count,
            failures: code.failures,
        }
    }
}
