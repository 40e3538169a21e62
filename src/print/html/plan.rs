//! The plan as a checklist, and the block for a support case.
//!
//! Steps come in, in the order in which they are done; a list with boxes to tick goes out, without script as well. With
//! it the ticks stay for this report and no other: after another scan a step has to prove itself again.

use super::super::safe;
use super::cards::actor;
use super::text::{Log, advice, anchor, commas, copyable, severity, value, values};
use super::{plural, seconds, thousands};
use crate::catalog::{Actor, Severity};
use crate::print::words::side;
use crate::report::plan::{Command, Language, Plan, Step};
use crate::report::{Report, Support};
use maud::{Markup, html};
use xxhash_rust::xxh3::xxh3_64;

/// The most steps.
pub const MAX_STEPS: usize = 200;
/// The most databases named in one step.
const MAX_NAMED: usize = 10;
/// The most names in one line of the block for support.
const MAX_NAMES: usize = 50;

/// The checklist; none where there is nothing to do.
pub fn steps(report: &Report) -> Option<Markup> {
    let Plan { steps } = &report.plan;
    let more = steps.len().saturating_sub(MAX_STEPS);
    (!steps.is_empty()).then(|| {
        html! {
            p {
                "In this order. Nothing here has been run: read a command before you run it. "
                span class="progress" data-progress hidden {}
            }
            ol class="plan" data-plan=(stamp(report)) {
                @for step in steps.iter().take(MAX_STEPS) { (item(step)) }
            }
            @if more > 0 { p { (plural(more as u64, "more step")) " not shown; --format json has them." } }
        }
    })
}

/// What tells this report's plan from another's, for the ticks.
fn stamp(report: &Report) -> String {
    let (plan, totals) = (&report.plan, report.totals());
    let said = serde_json::to_vec(&(plan, &report.support, totals.findings, report.inputs.bytes))
        .unwrap_or_default();
    format!("{:016x}", xxh3_64(&said))
}

fn item(step: &Step) -> Markup {
    let id = format!("step-{}", step.number);
    html! {
        li id={ "plan-" (step.number) } {
            input type="checkbox" id=(id) data-step=(step.number) autocomplete="off";
            div class="body" {
                h3 {
                    label for=(id) { (step.number) ". " bdi { (Log(&step.title)) } } " "
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
                    "; clears " (plural(step.failures, "failure")) " of "
                    (commas(step.codes.iter().map(|code| html! { a href={ "#" (anchor(code)) } { (Log(code)) } })))
                    (databases(step))
                }
                @for caution in &step.cautions { p class="caution" { strong { "Caution: " } (Log(caution)) } }
                (commands(step))
                // Advice that a command spells out can wait.
                @if step.commands.is_empty() {
                    @for text in &step.advice { (advice(text, None)) }
                }
                @for refused in &step.refused {
                    p class="caution" {
                        strong { "Not written: " }
                        "a command with the " (Log(&refused.name)) " " (value(&refused.value)) ", because "
                        (Log(&refused.reason)) "."
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

/// Commands that are run in one place, in a block to copy.
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
                        Language::Sql => { "SQL " (side(first.side)) },
                        Language::Az => "In a shell, with the Azure command line",
                    }
                    @if let Some(database) = &first.database { ", in " (value(database)) }
                }
                @let lines = block.iter().map(|command| safe::line(&command.text)).collect::<Vec<_>>();
                (copyable(&lines.join("\n"), "commands"))
            }
        }
        @if !blanks.is_empty() {
            p class="hush" {
                "Fill in " (commas(blanks.iter().map(|blank| html! { code { (Log(blank)) } }))) "."
            }
        }
        @if step.commands_truncated { p class="hush" { "There are more commands than these." } }
    }
}

/// With an upper-case first letter, which is ASCII.
fn upper(text: &str) -> String {
    let mut text = text.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// The block for a support case.
pub fn support(report: &Report) -> Option<Markup> {
    let support = &report.support;
    Some(html! {
        p { "What a support case asks for. Read it before you send it: names and ids are those of the logs." }
        (copyable(&block(support), "the block for support"))
        @if support.truncated { p class="hush" { "Not all names are here; --format json has more." } }
    })
}

fn block(support: &Support) -> String {
    let mut lines = Vec::new();
    for (name, values) in [
        ("Migration", &support.migrations),
        ("Resource", &support.resources),
        ("Source", &support.sources),
        ("Target", &support.targets),
        ("Servers", &support.servers),
        ("Databases", &support.databases),
        ("States", &support.states),
        ("Tracking", &support.tracking),
    ] {
        if values.is_empty() {
            continue;
        }
        let named: Vec<_> = values.iter().take(MAX_NAMES).map(|value| safe::line(value)).collect();
        let more = values.len() - named.len();
        let more = if more > 0 { format!(" and {} more", thousands(more as u64)) } else { String::new() };
        lines.push(format!("{:<11}{}{more}", format!("{name}:"), named.join(", ")));
    }
    if let (Some(first), Some(last)) = (support.first, support.last) {
        lines.push(format!("{:<11}{} to {} UTC", "Window:", seconds(first), seconds(last)));
    }
    lines.push("Codes:".into());
    for code in &support.codes {
        let counts = format!("{}, {}", plural(code.failures, "failure"), plural(code.count, "finding"));
        let (id, title) = (safe::line(&code.id), safe::line(&code.title));
        lines.push(format!("  {id}  {title} ({}; {counts})", code.severity));
    }
    let (version, edition) = (safe::line(&support.version), safe::line(&support.edition));
    lines.push(format!("{:<11}migsift {version}, catalogue {edition}", "Tool:"));
    lines.join("\n")
}
