//! Scans the paths on the command line and prints which entries were found, how often, and what to do.
//!
//! `cargo run --example scan_folder -- samples`

#![allow(clippy::print_stdout, reason = "an example prints")]

use migsift::{Error, Matcher, Report, Scan, catalog};

fn main() -> Result<(), Error> {
    let catalog = catalog::builtin();
    let outcome = Scan::new(&Matcher::new(catalog)).run(std::env::args_os().skip(1))?;
    let report = Report::build(outcome, catalog);
    for code in &report.codes {
        println!("{:>6} x {}: {}", code.count, code.id, code.title);
    }
    for problem in &report.inputs.problems {
        println!("{}: {}: {}", problem.origin, problem.status.name(), problem.reason);
    }
    Ok(())
}
