//! One entry of the catalogue, and the catalogue as a list, as text for people.

use super::page::{BOLD, Layout, Page};
use crate::catalog::fix::Within;
use crate::catalog::{Catalog, Side};
use crate::explain::{Explanation, FixView, ParameterView};
use crate::print::safe::line;
use crate::print::words::{needs, plural, side};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// Writes one entry.
///
/// # Errors
///
/// Those of the writer.
pub fn write_explanation(entry: &Explanation<'_>, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, layout };
    writeln!(page.out, "{}  {}", page.paint(BOLD, entry.id), page.paint(BOLD, line(entry.title)))?;
    let restart = if entry.restart { ", needs a restart" } else { "" };
    let who = needs(entry.actor, entry.support).unwrap_or_else(|| "you can fix it".into());
    let who = line(&who);
    let severity = page.severity(entry.severity, 0);
    writeln!(page.out, "{severity}, concerns the {}, {who}: {}{restart}", entry.scope, side(entry.side))?;
    let arguments =
        entry.arguments.iter().map(|a| format!("{{{}}}  {} ({})", a.position, a.name, kind(a.kind)));
    page.list("Arguments", arguments)?;
    page.list("Messages", entry.wordings.iter().map(|text| line(text).into_owned()))?;
    page.list("May be followed by", entry.followups.iter().map(|text| line(text).into_owned()))?;
    let heading = match entry.resolutions.len() {
        0 | 1 => "Resolution".to_string(),
        many => format!("{many} resolutions"),
    };
    page.list(&heading, entry.resolutions.iter().map(|text| line(text).into_owned()))?;
    if entry.resolutions.is_empty() {
        writeln!(
            page.out,
            "\n{}\n  None is published; follow the message itself.",
            page.paint(BOLD, heading)
        )?;
    }
    if let Some(fix) = &entry.fix {
        page.list("Fix", fix_lines(fix, entry.side).into_iter())?;
    }
    page.list("Links", entry.links.iter().map(|text| line(text).into_owned()))?;
    page.list("Example", entry.examples.iter().take(1).map(|example| line(example.text).into_owned()))?;
    for example in entry.examples.iter().take(1).filter(|example| !example.args.is_empty()) {
        let args = example
            .args
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join(", ");
        page.wrapped("    arguments: ", &args)?;
    }
    Ok(())
}

/// The fix, one line for each warning, parameter and command.
fn fix_lines(fix: &FixView<'_>, at: Side) -> Vec<String> {
    let title = fix.title.map(|title| line(title).into_owned());
    let caution = fix.caution.map(|caution| format!("Caution: {}", line(caution)));
    let parameter = |parameter: &ParameterView<'_>| {
        let name = line(parameter.name);
        match (parameter.set, &parameter.at_least, &parameter.add) {
            (Some(value), ..) => format!("{name} = {}", line(value)),
            (_, Some(least), _) => format!("{name} >= {}", line(least)),
            (.., Some(items)) => format!("{name}: add {}", line(items)),
            (None, None, None) => name.into_owned(),
        }
    };
    let within = match fix.within {
        Some(Within::Database) => format!("SQL {}, in each database", side(at)),
        Some(Within::Server) | None => format!("SQL {}", side(at)),
    };
    let sql = fix.sql.iter().map(|text| format!("{within}: {}", line(text)));
    let az = fix.az.iter().map(|text| format!("In a shell: {}", line(text)));
    let parameters =
        fix.parameters.iter().map(|shown| format!("Parameter {}: {}", side(at), parameter(shown)));
    title.into_iter().chain(caution).chain(parameters).chain(sql).chain(az).collect()
}

/// Writes the catalogue, one entry per line.
///
/// # Errors
///
/// Those of the writer.
pub fn write_catalog(catalog: &Catalog, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { out, layout };
    let width = catalog.entries.iter().map(|entry| entry.id.width()).max().unwrap_or(0).max(4);
    let head = format!(
        "{:<width$}  {:<8}  {:<8}  {:<7}  {:<11}  TITLE",
        "CODE", "SEVERITY", "SCOPE", "SIDE", "ACTOR"
    );
    writeln!(page.out, "{}", page.paint(BOLD, head))?;
    for entry in &catalog.entries {
        let id = page.paint(BOLD, format!("{:<width$}", entry.id));
        let severity = page.severity(entry.severity, 8);
        let (scope, side, actor) = (entry.scope, entry.side, entry.actor);
        writeln!(page.out, "{id}  {severity}  {scope:<8}  {side:<7}  {actor:<11}  {}", line(&entry.title))?;
    }
    let codes = catalog.entries.iter().filter(|entry| entry.code.is_some()).count();
    let other = catalog.entries.len() - codes;
    let edition = line(&catalog.edition);
    writeln!(page.out, "\n{} and {other} without a code, edition {edition}", plural(codes as u64, "code"))
}

fn kind(kind: crate::catalog::ValueKind) -> &'static str {
    match kind {
        crate::catalog::ValueKind::Text => "text",
        crate::catalog::ValueKind::List => "list",
        crate::catalog::ValueKind::Number => "number",
        crate::catalog::ValueKind::Version => "version",
        crate::catalog::ValueKind::Word => "word",
    }
}
