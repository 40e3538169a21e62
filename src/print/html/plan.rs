//! The plan as a checklist, and the facts for a support case.
//!
//! Steps come in, in the order in which they are done; a list with check boxes goes out. With script the
//! checks are kept for this report only: after another scan a step must be found done again.

use super::super::safe;
use super::text::{LogText, advice, anchor, commas, copyable, severity, value, values};
use super::{MAX_STEPS, plural, thousands};
use crate::catalog::{Actor, Severity};
use crate::print::words::{actor, period, side, upper};
use crate::report::plan::{Command, CommandLanguage, Plan, Step};
use crate::report::{Report, Support};
use crate::summary::Times;
use maud::{Markup, html};
use xxhash_rust::xxh3::xxh3_64;

/// The most databases named in one step.
const MAX_NAMED: usize = 10;
/// The most names in one line of the facts for support.
const MAX_NAMES: usize = 50;

/// The checklist; none without steps.
pub fn steps(report: &Report) -> Option<Markup> {
    let Plan { steps } = &report.plan;
    let more = steps.len().saturating_sub(MAX_STEPS);
    (!steps.is_empty()).then(|| {
        html! {
            p {
                "Do the steps in this order. None of the commands has been run; read each before you run it. "
                span class="progress" data-progress hidden {}
            }
            ol class="plan" data-plan=(stamp(report)) {
                @for step in steps.iter().take(MAX_STEPS) { (item(step)) }
            }
            @if more > 0 { p { (plural(more as u64, "more step")) " not shown (--format json has them)." } }
        }
    })
}

/// A fingerprint of this report's plan, under which the script keeps the checks.
fn stamp(report: &Report) -> String {
    let (plan, totals) = (&report.plan, report.totals());
    let facts = serde_json::to_vec(&(plan, &report.support, totals.findings, report.inputs.bytes))
        .unwrap_or_default();
    format!("{:016x}", xxh3_64(&facts))
}

fn item(step: &Step) -> Markup {
    let id = format!("step-{}", step.number);
    html! {
        li id={ "plan-" (step.number) } {
            input type="checkbox" id=(id) data-step=(step.number) autocomplete="off";
            div class="body" {
                h3 {
                    label for=(id) { (step.number) ". " bdi { (LogText(&step.title)) } } " "
                    @if step.severity == Severity::Warning { (severity(Severity::Warning)) }
                    @match step.actor {
                        Actor::Customer => {},
                        other => { span class="badge" { (actor(other, &step.support)) } },
                    }
                    @if step.restart { " " span class="badge warning" { "restart" } }
                }
                p class="hush" {
                    (upper(side(step.side)))
                    @if let Some(server) = &step.server { ", " (value(server)) }
                    "; fixes " (plural(step.failures, "failure")) " of "
                    (commas(step.codes.iter().map(|code| html! { a href={ "#" (anchor(code)) } { (LogText(code)) } })))
                    (databases(step))
                }
                @for caution in &step.cautions { p class="caution" { strong { "Caution: " } (LogText(caution)) } }
                (commands(step))
                // Commands spell out the advice, so it is shown only without them.
                @if step.commands.is_empty() {
                    @for text in &step.advice { (advice(text, None)) }
                }
                @for refused in &step.refused {
                    p class="caution" {
                        strong { "Write by hand: " }
                        "the command for the " (LogText(&refused.name)) " " (value(&refused.value)) ", because "
                        (LogText(&refused.reason)) "."
                    }
                }
            }
        }
    }
}

fn databases(step: &Step) -> Markup {
    let names = || step.databases.iter().map(String::as_str);
    let more = step.databases.len().saturating_sub(MAX_NAMED) as u64 + step.databases_more;
    html! {
        @if !step.databases.is_empty() {
            " in " (values(names().take(MAX_NAMED), MAX_NAMED))
            @if more > 0 { " and " (thousands(more)) " more" }
        }
    }
}

/// Commands, in one block to copy for each place where they are run.
fn commands(step: &Step) -> Markup {
    let place = |command: &Command| (command.language, command.side, command.database.clone());
    let blocks: Vec<&[Command]> = step.commands.chunk_by(|a, b| place(a) == place(b)).collect();
    let mut blanks: Vec<&String> = step.commands.iter().flat_map(|command| &command.blanks).collect();
    blanks.sort();
    blanks.dedup();
    html! {
        @for block in blocks {
            @if let Some(first) = block.first() {
                p class="label" {
                    @match first.language {
                        CommandLanguage::Sql => { "SQL " (side(first.side)) },
                        CommandLanguage::Az => "In a shell, with the Azure command line",
                    }
                    @if let Some(database) = &first.database { ", in " (value(database)) }
                }
                @let lines = block.iter().map(|command| safe::line(&command.text)).collect::<Vec<_>>();
                (copyable(&lines.join("\n"), "commands"))
            }
        }
        @if !blanks.is_empty() {
            p class="hush" {
                "Fill in " (commas(blanks.iter().map(|blank| html! { code { (LogText(blank)) } }))) "."
            }
        }
        @if step.commands_truncated { p class="hush" { "There are more commands than these." } }
    }
}

/// The facts for a support case.
pub fn support(report: &Report) -> Option<Markup> {
    let support = &report.support;
    Some(html! {
        p {
            "The facts that a support case asks for. Read them before you send them: "
            "the names and ids are those of the logs."
        }
        (copyable(&block(support), "the facts for support"))
        @if support.truncated { p class="hush" { "Some names are left out (--format json has more)." } }
    })
}

fn block(support: &Support) -> String {
    let mut lines = Vec::new();
    let mut field = |label: &str, value: &str| lines.push(format!("{:<14}{value}", format!("{label}:")));
    for list in support.lists().iter().filter(|list| !list.names.is_empty()) {
        let named: Vec<_> = list.names.iter().take(MAX_NAMES).map(|value| safe::line(value)).collect();
        let more = list.names.len() - named.len();
        let more = if more > 0 { format!(" and {} more", thousands(more as u64)) } else { String::new() };
        field(&upper(list.label), &format!("{}{more}", named.join(", ")));
    }
    if let Some(period) = period(Times { first: support.first, last: support.last }) {
        field("Window", &format!("{period} UTC"));
    }
    lines.push("Codes:".into());
    for code in &support.codes {
        let counts = format!("{}, {}", plural(code.failures, "failure"), plural(code.count, "finding"));
        let (id, title) = (safe::line(&code.id), safe::line(&code.title));
        lines.push(format!("  {id}  {title} ({}; {counts})", code.severity));
    }
    let (version, edition) = (safe::line(&support.version), safe::line(&support.edition));
    lines.push(format!("{:<14}migsift {version}, catalogue {edition}", "Tool:"));
    lines.join("\n")
}
