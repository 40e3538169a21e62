//! Reads standard input into memory and prints each finding with its line and arguments.
//!
//! `cargo run --example findings_in_memory < samples/contoso-orders/worker.log`

#![allow(clippy::print_stdout, reason = "an example prints")]

use migsift::{Matcher, catalog};
use std::io::Read;

fn main() -> std::io::Result<()> {
    let mut log = Vec::new();
    std::io::stdin().read_to_end(&mut log)?;
    let matcher = Matcher::new(catalog::builtin());
    for finding in matcher.findings(&log) {
        let args: Vec<String> = finding.args.iter().map(|(name, value)| format!("{name}={value}")).collect();
        println!("line {}: {} {} ({})", finding.line, finding.id, finding.title, args.join(", "));
    }
    Ok(())
}
