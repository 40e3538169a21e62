//! For support: what a support case asks for, in one place.
//!
//! A summary's surroundings and the codes of a report come in; names, ids, states, the window and counts go out. It says
//! nothing that the logs do not.

use super::{CatalogStamp, CodeReport};
use crate::catalog::{Actor, Severity};
use crate::context::Time;
use crate::summary::{BoundedNames, MigrationFacts, Times};
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a support case needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Support {
    /// Ids of the migrations.
    pub migrations: Vec<String>,
    /// Resource ids of the migrations.
    pub resources: Vec<String>,
    /// Source servers, as the migrations' resources name them.
    pub sources: Vec<String>,
    /// Target servers, as the migrations' resources name them.
    pub targets: Vec<String>,
    /// Servers that records name, or whose logs they are.
    pub servers: Vec<String>,
    /// Databases that the migrations' resources name, whether something failed in them or not.
    pub databases: Vec<String>,
    /// States of migrations, databases and validations.
    pub states: Vec<String>,
    /// Tracking and correlation ids.
    pub tracking: Vec<String>,
    /// Whether one of these lists does not name all.
    pub truncated: bool,
    /// The time of the first dated finding.
    pub first: Option<Time>,
    /// The time of the last dated finding.
    pub last: Option<Time>,
    /// What was found: support cases first.
    pub codes: Vec<SupportCode>,
    /// The program's version.
    pub version: String,
    /// The catalogue's edition.
    pub edition: String,
}

/// What was found of one code.
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
    /// Who can mend it; none where no catalogue lists it.
    pub actor: Option<Actor>,
    /// Findings.
    pub count: u64,
    /// Failures.
    pub failures: u64,
}

impl Support {
    /// What the surroundings of `codes` say.
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
        // The order of the report holds among equals.
        support.codes.sort_by_key(|code| code.actor != Some(Actor::Support));
        support
    }

    /// The surroundings again, to add up reports.
    pub fn migration_facts(&self) -> MigrationFacts {
        let names = |list: &[String]| BoundedNames {
            kept: list.iter().cloned().collect(),
            truncated: self.truncated,
        };
        MigrationFacts {
            migrations: names(&self.migrations),
            resources: names(&self.resources),
            sources: names(&self.sources),
            targets: names(&self.targets),
            servers: names(&self.servers),
            databases: names(&self.databases),
            states: names(&self.states),
            tracking: names(&self.tracking),
        }
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
