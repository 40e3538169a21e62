//! The pivots of a report as text for people: a matrix if it fits the width, else a list.

use super::page::{BOLD, Page};
use super::plan::columns;
use crate::catalog::Side;
use crate::print::safe::line;
use crate::report::Pivots;
use crate::report::pivot::ExtensionMatrix;
use std::io;

/// The width of a matrix if no terminal has one.
const WIDTH: usize = 80;

impl Page<'_> {
    /// Writes the matrices of extensions by databases and of servers by codes.
    pub(super) fn pivots(&mut self, pivots: &Pivots) -> io::Result<()> {
        let extensions = &pivots.extensions;
        // Without databases the table of codes already has these facts.
        if !extensions.databases.is_empty() {
            let rows = extension_rows(extensions);
            self.matrix("Extensions by database", "EXTENSION", rows, extensions.truncated)?;
        }
        let servers = &pivots.servers;
        // So it has if there is one server, or no named one.
        if servers.rows.len() > 1 && servers.rows.iter().any(|row| row.server.is_some()) {
            let rows = servers.rows.iter().map(|row| {
                let name = match (&row.server, row.side) {
                    (Some(server), None) => server.clone(),
                    (Some(server), Some(side)) => format!("{server} ({side})"),
                    (None, Some(Side::Service)) => "migration service".into(),
                    (None, Some(Side::Both)) => "source and target".into(),
                    (None, Some(side)) => format!("{side} server"),
                    (None, None) => "unknown".into(),
                };
                let cells = row.cells.iter().zip(&servers.codes);
                let cell = |(count, code): (&u64, &String)| {
                    (code.clone(), if *count > 0 { count.to_string() } else { String::new() })
                };
                (name, cells.map(cell).collect())
            });
            self.matrix("Findings by server", "SERVER", rows.collect(), servers.truncated)?;
        }
        Ok(())
    }

    /// Writes rows of named cells, as a table if it fits, else as a list of the cells that are not empty.
    fn matrix(
        &mut self,
        heading: &str,
        corner: &str,
        rows: Vec<(String, Vec<(String, String)>)>,
        truncated: bool,
    ) -> io::Result<()> {
        writeln!(self.out, "\n{}", self.paint(BOLD, heading))?;
        let first = rows.iter().map(|(name, _)| columns(name)).chain([corner.len()]).max().unwrap_or(0);
        let heads: Vec<&str> = rows
            .first()
            .map(|(_, cells)| cells.iter().map(|(head, _)| &**head).collect())
            .unwrap_or_default();
        let widths: Vec<usize> = heads
            .iter()
            .enumerate()
            .map(|(i, head)| {
                rows.iter().map(|(_, cells)| columns(&cells[i].1)).max().unwrap_or(0).max(columns(head))
            })
            .collect();
        let whole = 2 + first + widths.iter().map(|width| width + 2).sum::<usize>();
        if whole <= self.layout.width.unwrap_or(WIDTH) {
            let mut text = padded(corner, first);
            for (head, width) in heads.iter().zip(&widths) {
                text += &format!("  {}", padded(head, *width));
            }
            writeln!(self.out, "  {}", self.paint(BOLD, text.trim_end()))?;
            for (name, cells) in &rows {
                let mut text = padded(name, first);
                for ((_, cell), width) in cells.iter().zip(&widths) {
                    text += &format!("  {}", padded(if cell.is_empty() { "." } else { cell }, *width));
                }
                writeln!(self.out, "  {}", text.trim_end())?;
            }
        } else {
            for (name, cells) in &rows {
                let full = cells.iter().filter(|(_, cell)| !cell.is_empty());
                let text: Vec<String> = full.map(|(head, cell)| format!("{head}: {cell}")).collect();
                self.wrapped("  ", &line(name))?;
                self.wrapped("      ", &line(&text.join("; ")))?;
            }
        }
        if truncated {
            writeln!(self.out, "  and more (--format json has the counts by code)")?;
        }
        Ok(())
    }
}

fn extension_rows(matrix: &ExtensionMatrix) -> Vec<(String, Vec<(String, String)>)> {
    let has_others = matrix.rows.iter().any(|row| !row.without_database.is_empty());
    let row = |row: &crate::report::pivot::ExtensionRow| {
        let named = matrix.databases.iter().zip(&row.cells).map(|(database, ids)| (database.clone(), ids));
        let other = has_others.then(|| ("(no database)".to_string(), &row.without_database));
        let cells = named.chain(other).map(|(head, ids)| (head, ids.join(" "))).collect();
        (row.extension.clone(), cells)
    };
    matrix.rows.iter().map(row).collect()
}

/// The text on one line, padded to `width` columns.
fn padded(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(columns(text));
    format!("{}{}", line(text), " ".repeat(blanks))
}
