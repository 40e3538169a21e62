//! Which file a path leads to, whatever the path looks like and whether or not the file exists yet.
//!
//! A path comes in; a [`FileId`] goes out, which equals that of every other path to the same file: hard links,
//! symbolic links, `./x` and `x`. So a caller can refuse to write what it reads. Nothing is opened.

use super::stat::{Identity, identity};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// How many symbolic links are followed to a file that does not exist yet, as many as Linux follows.
const MAX_LINKS: usize = 40;

/// What all paths of a file share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileId(pub(super) Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// It exists.
    Known(Identity),
    /// It does not exist: it would be created in this folder with this name.
    New { folder: Identity, name: OsString },
    /// Neither does its folder, or nothing is known about it.
    Unknown(PathBuf),
}

impl FileId {
    /// Identifies the file that `path` leads to, or would lead to if it were created.
    pub fn of(path: &Path) -> FileId {
        let known = fs::metadata(path).ok().and_then(|metadata| identity(path, &metadata));
        FileId(known.map(Kind::Known).or_else(|| new_file(path)).unwrap_or_else(|| {
            Kind::Unknown(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
        }))
    }

    /// Identifies an open file; `None` where the system does not say which one it is.
    #[cfg(unix)]
    pub fn of_open(file: &File) -> Option<FileId> {
        let metadata = file.metadata().ok()?;
        identity(Path::new(""), &metadata).map(Kind::Known).map(FileId)
    }

    /// Identifies an open file; `None` where the system does not say which one it is.
    #[cfg(not(unix))]
    pub fn of_open(_: &File) -> Option<FileId> {
        None
    }
}

/// The place of a file that does not exist: a symbolic link to it counts as the file itself.
fn new_file(path: &Path) -> Option<Kind> {
    let path = follow_links(path)?;
    let folder = folder(&path);
    let known = fs::metadata(folder).ok()?;
    Some(Kind::New { folder: identity(folder, &known)?, name: path.file_name()?.to_os_string() })
}

/// The path of the file itself that `path` leads to by symbolic links, whether or not it exists; `None` if the
/// links do not end.
pub fn follow_links(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            Err(_) => return Some(path),
        }
    }
    None
}

/// The folder of a path.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn all_paths_of_a_file_have_one_identity() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("a"), "a").expect("writes");
        std::fs::create_dir(at("sub")).expect("a folder");
        std::fs::hard_link(at("a"), at("hard")).expect("links");
        symlink("a", at("soft")).expect("links");
        symlink("../soft", at("sub/twice")).expect("links");
        symlink("new", at("dangling")).expect("links");
        symlink("ring", at("ring")).expect("links");
        let id = |name: &str| FileId::of(&at(name));
        for same in ["./a", "sub/../a", "hard", "soft", "sub/twice"] {
            assert_eq!(id(same), id("a"), "{same}");
        }
        for same in ["./new", "sub/../new", "dangling"] {
            assert_eq!(id(same), id("new"), "{same}");
        }
        for same in ["./no/new", "no/./new"] {
            assert_eq!(id(same), id("no/new"), "{same}");
        }
        for other in ["new", "sub/a", "sub/new", "no/a", "ring", "sub"] {
            assert_ne!(id(other), id("a"), "{other}");
        }
        assert_ne!(id("sub/new"), id("new"));
        assert_eq!(FileId::of_open(&File::open(at("soft")).expect("opens")), Some(id("a")));
        std::fs::write(at("new"), "").expect("writes");
        assert_eq!(id("dangling"), id("new"));
    }
}
