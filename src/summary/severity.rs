//! Counts of findings by severity.

use crate::catalog::Severity;
use std::ops::{AddAssign, Sub};

/// How many findings are warnings, and how many are errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeverityCounts {
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings that are errors.
    pub errors: u64,
}

impl SeverityCounts {
    /// Returns the counts of one finding.
    pub fn one(severity: Severity) -> SeverityCounts {
        match severity {
            Severity::Warning => SeverityCounts { warnings: 1, errors: 0 },
            Severity::Error => SeverityCounts { warnings: 0, errors: 1 },
        }
    }

    /// Returns the number of findings.
    pub fn total(self) -> u64 {
        self.warnings + self.errors
    }

    /// Returns whether there are no findings.
    pub fn is_empty(self) -> bool {
        self == SeverityCounts::default()
    }

    /// Returns the worst severity found; without findings, a warning.
    pub fn worst(self) -> Severity {
        if self.errors > 0 { Severity::Error } else { Severity::Warning }
    }

    /// Subtracts, and stops at 0.
    pub fn saturating_sub(self, other: SeverityCounts) -> SeverityCounts {
        SeverityCounts {
            warnings: self.warnings.saturating_sub(other.warnings),
            errors: self.errors.saturating_sub(other.errors),
        }
    }
}

impl AddAssign for SeverityCounts {
    fn add_assign(&mut self, other: SeverityCounts) {
        self.warnings += other.warnings;
        self.errors += other.errors;
    }
}

/// Subtracts a part from the whole that it was counted in.
impl Sub for SeverityCounts {
    type Output = SeverityCounts;

    fn sub(self, part: SeverityCounts) -> SeverityCounts {
        SeverityCounts { warnings: self.warnings - part.warnings, errors: self.errors - part.errors }
    }
}
