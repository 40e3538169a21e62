//! Shapes: secrets that are recognized by their form alone, wherever they are.
//!
//! A text comes in; the ranges of what has one of these forms go out. The forms are those that scanners for secrets
//! know, each as its issuer documents it. What a secret is called is not known here.

use crate::text::pattern;
use regex::bytes::Regex;
use std::ops::Range;
use std::sync::LazyLock;

/// A form of secrets.
pub(super) struct Shape {
    /// Every text with such a secret holds one of these, in upper or lower case. The first three bytes are looked for, so
    /// they should be rare.
    pub(super) marks: &'static [&'static str],
    /// Matches the secret, or as the group `s` a part of the match. Compiling one takes milliseconds, and most logs need
    /// few of them, so each is compiled on its first use.
    pattern: LazyLock<Regex>,
}

impl Shape {
    /// Appends the ranges of all such secrets in `text`.
    pub(super) fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        for captures in self.pattern.captures_iter(text) {
            found.extend(captures.name("s").or_else(|| captures.get(0)).map(|secret| secret.range()));
        }
    }
}

macro_rules! shape {
    ($marks:expr, $pattern:expr) => {
        Shape { marks: &$marks, pattern: LazyLock::new(|| pattern($pattern)) }
    };
}

/// All shapes.
pub(super) static SHAPES: [Shape; 23] = [
    // `Bearer …` without the name of the header.
    shape!(["bearer"], r"(?i-u)\bbearer\s+(?P<s>[A-Za-z0-9._~+/=-]{16,})"),
    // A token of JSON (JWT).
    shape!(["eyj"], r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"),
    // Access keys of AWS.
    shape!(["akia", "asia"], r"(?-u)\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    // Passwords as PostgreSQL keeps them.
    shape!(["-sha-"], r#"(?i-u)\bSCRAM-SHA-(?:1|256|512)\$[^\s"',\\]+"#),
    shape!(["md5"], r"(?i-u)\bmd5[0-9a-f]{32}\b"),
    // A key of 64 bytes in base64: an account of Azure Storage.
    shape!(["=="], r"(?-u)[A-Za-z0-9+/]{86}=="),
    // Passwords as other programs keep them.
    shape!(["$2a$", "$2b$", "$2x$", "$2y$"], r"(?-u)\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}"),
    shape!(["$argon2"], r#"(?-u)\$argon2(?:id|i|d)\$[^\s"']+"#),
    shape!(["$scrypt$", "$pbkdf2"], r#"(?-u)\$(?:scrypt|pbkdf2)[^\s"'$]*\$[^\s"']+"#),
    shape!(["$1$", "$5$", "$6$", "$y$"], r"(?-u)\$(?:1|5|6|y)\$[^\s$:]+\$(?:[^\s$:]+\$)?[./A-Za-z0-9]{16,}"),
    // Tokens of GitHub.
    shape!(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"(?-u)\bgh[pousr]_[A-Za-z0-9]{20,}"),
    shape!(["github_pat_"], r"(?-u)\bgithub_pat_[A-Za-z0-9_]{22,}"),
    // Tokens of GitLab.
    shape!(
        ["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-"],
        r"(?-u)\bgl(?:pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_.=-]{16,}"
    ),
    // Tokens and webhooks of Slack.
    shape!(["xox", "xapp-"], r"(?-u)\b(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{10,}"),
    shape!(
        ["hooks.slack"],
        r"(?-u)hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<s>[A-Za-z0-9+/_-]{20,})"
    ),
    shape!(["npm_"], r"(?-u)\bnpm_[A-Za-z0-9]{30,}"),
    // Tokens of Vault: service, batch and recovery.
    shape!(["hvs.", "hvb.", "hvr."], r"(?-u)\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    // Google: keys and tokens.
    shape!(["aiza"], r"(?-u)\bAIza[0-9A-Za-z_-]{35}"),
    shape!(["ya29."], r"(?-u)\bya29\.[0-9A-Za-z_-]{20,}"),
    // Keys that name themselves: Stripe, OpenAI, Anthropic, Grafana.
    shape!(
        ["k_live_", "sk-proj", "sk-ant-", "glsa_"],
        r"(?-u)\b(?:[sr]k_live_[A-Za-z0-9]{16,}|sk-(?:proj|ant)-[A-Za-z0-9_-]{20,}|glsa_[A-Za-z0-9_]{20,})"
    ),
    // PyPI, Docker Hub, DigitalOcean.
    shape!(
        ["pypi-", "dckr_", "_v1_"],
        r"(?-u)\b(?:pypi-[A-Za-z0-9_-]{40,}|dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}|do[opr]_v1_[0-9a-f]{40,})"
    ),
    // Databricks, Atlassian.
    shape!(["dapi", "tt3"], r"(?-u)\b(?:dapi[0-9a-f]{32}(?:-[0-9])?|ATATT3[A-Za-z0-9_=-]{40,})"),
    // A key of age.
    shape!(["-key-"], r"(?-u)\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
];
