//! The plot of findings over time: a lane for each code, all on one axis.
//!
//! Timelines, or the days of a history, come in; inline drawings go out. Positions are percentages, so the
//! drawing stretches with the page while its text keeps its size. Colours come from classes, because the
//! page's policy allows no other style. The labels of the drawings hold the numbers, for readers who do not
//! see them.

use super::text::{LogText, anchor};
use super::{plural, seconds, thousands};
use crate::catalog::Severity;
use crate::context::Time;
use crate::print::words::period;
use crate::report::history::DAY;
use crate::report::{CodeReport, Report};
use crate::summary::timeline::{Bucket, MAX_BUCKETS};
use jiff::Timestamp;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The most lanes; the worst and most frequent codes come first.
const MAX_LANES: usize = 30;
/// How high a lane is, and its highest and lowest bar.
const LANE: u64 = 34;
const HIGHEST: u64 = 28;
const LOWEST: u64 = 4;
/// The fewest slots of an axis, so that a single burst is a bar and not the whole width.
const MIN_SLOTS: i64 = 24;
/// The most ticks that fit on a telephone.
const MAX_TICKS: i64 = 4;
/// Seconds between ticks.
const STEPS: [i64; 26] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    91 * DAY,
    182 * DAY,
    365 * DAY,
    3650 * DAY,
];

/// The plot; none if no finding has a time.
pub fn figure(report: &Report) -> Option<Markup> {
    let dated: Vec<&CodeReport> = report.codes.iter().filter(|code| code.timeline.count() > 0).collect();
    let axis = Axis::new(&dated)?;
    let counted: u64 = dated.iter().map(|code| code.timeline.count()).sum();
    let undated = report.totals().findings - counted;
    let lanes = &dated[..dated.len().min(MAX_LANES)];
    let exponent = axis.width.trailing_zeros();
    let buckets = |code: &CodeReport| code.timeline.widened(exponent).buckets().collect::<Vec<_>>();
    let lanes: Vec<(&CodeReport, Vec<Bucket>)> = lanes.iter().map(|code| (*code, buckets(code))).collect();
    let most = lanes.iter().flat_map(|(_, buckets)| buckets).map(|bucket| bucket.count).max().unwrap_or(1);
    Some(html! {
        figure class="plot" {
            ul {
                @for (code, buckets) in &lanes {
                    li {
                        a href={ "#" (anchor(&code.id)) } title=(LogText(&code.title)) { (LogText(&code.id)) }
                        (lane(code, &label(code), buckets, most, &axis))
                        span class="number" {
                            (thousands(code.timeline.count()))
                            @if code.timeline.count() < code.count {
                                span class="hush" { " of " (thousands(code.count)) }
                            }
                        }
                    }
                }
            }
            (ticks(&axis))
            figcaption {
                "Findings by code and time, UTC. A bar is " (span(axis.width)) "; its height is proportional to the "
                "square root of their number, at most " (thousands(most)) "."
                @if undated > 0 { " " (plural(undated, "finding")) " without a time cannot be drawn." }
                @if dated.len() > MAX_LANES {
                    " " (plural((dated.len() - MAX_LANES) as u64, "more code")) " not drawn."
                }
            }
        }
    })
}

/// Findings by day; none without a history. If there are too many days for the page, a bar is a week, or
/// seven weeks, and so on.
pub fn trend(report: &Report) -> Option<Markup> {
    let days = &report.trend.as_ref()?.days;
    let all = || days.values().flat_map(|days| days.keys().copied());
    let (first, last) = (all().min()?, all().max()?);
    let mut width = 1;
    while last.div_euclid(width) - first.div_euclid(width) >= MAX_BUCKETS as i64 {
        width *= 7;
    }
    let axis = Axis::over(width * DAY, first.div_euclid(width), last.div_euclid(width));
    let codes: Vec<&CodeReport> = report.codes.iter().filter(|code| days.contains_key(&code.id)).collect();
    let lanes: Vec<(&CodeReport, Vec<Bucket>)> =
        codes.iter().take(MAX_LANES).map(|code| (*code, by_slot(&days[&code.id], &axis))).collect();
    let most = lanes.iter().flat_map(|(_, buckets)| buckets).map(|bucket| bucket.count).max().unwrap_or(1);
    Some(html! {
        figure class="plot" {
            ul {
                @for (code, buckets) in &lanes {
                    @let known = &days[&code.id];
                    @let (findings, days) = (plural(code.count, "finding"), plural(known.len() as u64, "day"));
                    @let label = format!("{}: {findings} on {days}", code.id);
                    li {
                        a href={ "#" (anchor(&code.id)) } title=(LogText(&code.title)) { (LogText(&code.id)) }
                        (lane(code, &label, buckets, most, &axis))
                        span class="number" { (thousands(code.count)) }
                    }
                }
            }
            (ticks(&axis))
            figcaption {
                "Findings in the history by code and day, UTC; one without a time counts on the day of the run that first "
                "saw it. A bar is " (span(axis.width)) "; its height is proportional to the square root of their number, at "
                "most " (thousands(most)) "."
                @if codes.len() > MAX_LANES {
                    " " (plural((codes.len() - MAX_LANES) as u64, "more code")) " not drawn."
                }
            }
        }
    })
}

/// The findings of each slot.
fn by_slot(days: &BTreeMap<i64, u64>, axis: &Axis) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    for (day, count) in days {
        let start = (day * DAY).div_euclid(axis.width) * axis.width;
        match buckets.last_mut().filter(|bucket| bucket.start == start) {
            Some(bucket) => bucket.count += count,
            None => buckets.push(Bucket { start, count: *count }),
        }
    }
    buckets
}

/// The slots that all lanes share.
struct Axis {
    /// The width of a slot in seconds.
    width: i64,
    /// The number of the first slot: its start divided by the width.
    first: i64,
    slots: i64,
}

impl Axis {
    fn new(codes: &[&CodeReport]) -> Option<Axis> {
        let mut all = crate::summary::timeline::Timeline::default();
        codes.iter().for_each(|code| all.merge(&code.timeline));
        let width = all.width_seconds();
        let mut starts = all.buckets().map(|bucket| bucket.start / width);
        let first = starts.next()?;
        Some(Axis::over(width, first, starts.last().unwrap_or(first)))
    }

    /// Slots of `width` seconds from the `first` to the `last`, with empty ones around them if they are few.
    fn over(width: i64, first: i64, last: i64) -> Axis {
        let used = last - first + 1;
        let slots = used.max(MIN_SLOTS).min(MAX_BUCKETS as i64);
        Axis { width, first: first - (slots - used) / 2, slots }
    }

    fn start(&self) -> i64 {
        self.first * self.width
    }

    fn end(&self) -> i64 {
        (self.first + self.slots) * self.width
    }

    /// The position of a second, in thousandths of a percent.
    fn place(&self, second: i64) -> i64 {
        let (from, range) = (i128::from(second - self.start()), i128::from(self.end() - self.start()));
        (from * 100_000 / range) as i64
    }

    /// The step and the seconds of the ticks: multiples of the smallest step at which they fit.
    fn ticks(&self) -> (i64, Vec<i64>) {
        let within = |step: i64| self.end().div_euclid(step) - (self.start() - 1).div_euclid(step);
        let step =
            STEPS.into_iter().find(|step| within(*step) <= MAX_TICKS).unwrap_or(STEPS[STEPS.len() - 1]);
        let first = (self.start() - 1).div_euclid(step) + 1;
        (step, (first..).map(|i| i * step).take_while(|tick| *tick <= self.end()).collect())
    }
}

/// Thousandths of a percent as an attribute.
fn percent(thousandths: i64) -> String {
    format!("{}.{:03}%", thousandths / 1000, thousandths % 1000)
}

/// The label of a lane.
fn label(code: &CodeReport) -> String {
    match period(code.times) {
        Some(times) => {
            format!("{}: {}, {times} UTC", code.id, plural(code.timeline.count(), "dated finding"))
        }
        None => code.id.to_string(),
    }
}

fn lane(code: &CodeReport, label: &str, buckets: &[Bucket], most: u64, axis: &Axis) -> Markup {
    let class = if code.severity == Severity::Error { "bar error" } else { "bar warning" };
    // A fifth of the slot is the gap between bars.
    let width = percent(80_000 / axis.slots);
    html! {
        svg class="lane" width="100%" height=(LANE) role="img" aria-label=(LogText(label)) {
            @for tick in axis.ticks().1 {
                @let x = percent(axis.place(tick));
                line class="grid" x1=(x) x2=(x) y1="0" y2=(LANE) {}
            }
            line class="base" x1="0" x2="100%" y1=(LANE) y2=(LANE) {}
            @for bucket in buckets {
                @let height = height(bucket.count, most);
                rect class=(class) x=(percent(axis.place(bucket.start) + 10_000 / axis.slots)) width=(width)
                    y=(LANE - height) height=(height) rx="1" {
                    title {
                        (moment(bucket.start)) " to " (moment(bucket.start + axis.width)) ": "
                        (plural(bucket.count, "finding"))
                    }
                }
            }
        }
    }
}

/// The height of a bar. A square root is exact on every machine, a logarithm is not: the same report must be
/// the same page.
fn height(count: u64, most: u64) -> u64 {
    let share = (count as f64 / most as f64).sqrt();
    LOWEST + (share * (HIGHEST - LOWEST) as f64).round() as u64
}

fn ticks(axis: &Axis) -> Markup {
    let (step, ticks) = axis.ticks();
    html! {
        div class="ticks" {
            svg class="axis" width="100%" height="18" aria-hidden="true" {
                @for tick in ticks {
                    @let place = axis.place(tick);
                    @let class = match place { ..12_000 => "start", 88_000.. => "end", _ => "middle" };
                    text class=(class) x=(percent(place)) y="13" { (tick_label(tick, step)) }
                }
            }
        }
    }
}

/// The time of day, or the date at the start of a day and on an axis of days.
fn tick_label(second: i64, step: i64) -> String {
    let text = moment(second);
    let (day, clock) = text.split_once(' ').unwrap_or((&text, ""));
    if second.rem_euclid(DAY) == 0 || step >= DAY {
        day.to_string()
    } else if step < 60 {
        clock.to_string()
    } else {
        clock.get(..5).unwrap_or(clock).to_string()
    }
}

fn moment(second: i64) -> String {
    let instant =
        Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX });
    seconds(Time { instant, digits: 3 })
}

/// A number of seconds in the units that people use.
fn span(width: i64) -> String {
    let units = [(DAY, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let mut rest = width;
    let mut parts = Vec::new();
    for (size, noun) in units {
        if rest >= size {
            parts.push(plural((rest / size) as u64, noun));
            rest %= size;
        }
    }
    parts.join(" ")
}
