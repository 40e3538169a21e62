//! Effects: whether a flag changes the findings of a scan. Every flag of `scan` declares one; `flags.rs`
//! derives lists.
//!
//! An effect is a group of arguments for clap: the only property of an argument that clap passes on to
//! others.

use clap::Arg;

/// The effect of a flag on the findings of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The same bytes yield other findings, or findings with other fields. A store reads files again that
    /// were read with another value.
    Findings,
    /// Findings are left out. A store would record files as read whose findings it does not have, so the flag
    /// conflicts with `--store`.
    Filter,
    /// Neither. The flag decides which inputs are read, how fast, what is printed, or how the run is judged.
    None,
}

impl Effect {
    /// All effects.
    pub const ALL: [Effect; 3] = [Effect::Findings, Effect::Filter, Effect::None];

    /// The name of the group.
    pub const fn id(self) -> &'static str {
        match self {
            Effect::Findings => "changes-findings",
            Effect::Filter => "filters-findings",
            Effect::None => "keeps-findings",
        }
    }
}

/// Gives an argument its effect: `#[arg(long, effect = Effect::None)]`.
pub trait WithEffect {
    fn effect(self, effect: Effect) -> Self;
}

impl WithEffect for Arg {
    fn effect(self, effect: Effect) -> Arg {
        let arg = self.group(effect.id());
        if effect == Effect::Filter { arg.conflicts_with("store") } else { arg }
    }
}
