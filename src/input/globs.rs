//! Globs: which files of a walk, and which members of archives, are wanted.
//!
//! A glob without a slash is matched against names at any depth; one with a slash against the path below the
//! directory that was named, or within the archive. To exclude a directory is to exclude everything below it.
//! Knows nothing of files.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::path::Path;

/// What is wanted.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    include: Option<GlobSet>,
    /// What is excluded, and everything below it.
    exclude: GlobSet,
}

/// What a glob that matches a directory means for everything below it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    /// It is not matched.
    Unmatched,
    /// It is matched, too.
    Matched,
}

impl Globs {
    /// Wants what one of `include` matches, or everything if there is none, except what one of `exclude`
    /// matches.
    ///
    /// # Errors
    ///
    /// What is wrong with a glob, in words.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Globs, String> {
        let include = if include.is_empty() { None } else { Some(set(include, Below::Unmatched)?) };
        Ok(Globs { include, exclude: set(exclude, Below::Matched)? })
    }

    /// Whether everything is wanted.
    pub fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_empty()
    }

    /// Whether `path` is included.
    pub fn include(&self, path: &Path) -> bool {
        self.include.as_ref().is_none_or(|set| set.is_match(path))
    }

    /// Whether `path`, or a directory around it, is excluded.
    pub fn exclude(&self, path: &Path) -> bool {
        self.exclude.is_match(path)
    }
}

fn set(globs: &[String], below: Below) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let trimmed = glob.trim_end_matches('/');
        let anchored = match trimmed.strip_prefix('/') {
            Some(anchored) => anchored.to_string(),
            None if trimmed.contains('/') => trimmed.to_string(),
            None => format!("**/{trimmed}"),
        };
        let deep = (below == Below::Matched).then(|| format!("{anchored}/**"));
        for glob in [Some(anchored), deep].into_iter().flatten() {
            let glob = GlobBuilder::new(&glob).literal_separator(true).build();
            set.add(glob.map_err(|error| error.to_string())?);
        }
    }
    set.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_anywhere_and_paths_from_the_top() {
        let globs = |include: &[&str], exclude: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|glob| (*glob).to_string()).collect::<Vec<_>>();
            Globs::new(&owned(include), &owned(exclude)).expect("globs")
        };
        let all = globs(&[], &[]);
        assert!(all.is_empty() && all.include(Path::new("a/b")) && !all.exclude(Path::new("a/b")));
        let some = globs(&["*.log", "/top.txt", "a/*.json"], &["old", "*.tmp", "x/y/"]);
        assert!(!some.is_empty() && !globs(&["a"], &[]).is_empty() && !globs(&[], &["a"]).is_empty());
        for (path, include, exclude) in [
            ("a.log", true, false),
            ("deep/er/a.log", true, false),
            ("a.log.gz", false, false),
            ("top.txt", true, false),
            ("deep/top.txt", false, false),
            ("a/b.json", true, false),
            ("a/b/c.json", false, false),
            ("old/a.log", true, true),
            ("deep/old/er/a.log", true, true),
            ("older/a.log", true, false),
            ("x/y/z.log", true, true),
            ("w/x/y/z.log", true, false),
            ("n.tmp", false, true),
        ] {
            let path = Path::new(path);
            assert_eq!((some.include(path), some.exclude(path)), (include, exclude), "{path:?}");
        }
        assert!(Globs::new(&["[".to_string()], &[]).is_err());
    }
}
