//! Scans for messages of a pattern file of one's own, added to the built-in ones, and stops at the first error.
//!
//! `cargo run --example own_messages -- tests/data/own.toml tests/data/own.log`

#![allow(clippy::print_stdout, reason = "an example prints")]

use migsift::catalog::{self, Severity};
use migsift::scan::Progress;
use migsift::{Finding, Matcher, Scan};
use std::sync::atomic::Ordering;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("usage: own_messages PATTERNS PATH...")?;
    let mut catalog = catalog::builtin().clone();
    catalog.add(catalog::parse(&file, &std::fs::read_to_string(&file)?)?);

    let matcher = Matcher::new(&catalog);
    let progress = Progress::default();
    Scan::new(&matcher).progress(&progress).run_with(arguments, |finding: &Finding| {
        println!("{}:{}: {}", finding.origin, finding.line, finding.title);
        if finding.severity == Severity::Error {
            progress.stop.store(true, Ordering::Relaxed);
        }
        Ok(())
    })?;
    Ok(())
}
