//! Code anchors: the search for codes in stage 1, one for each prefix that a code space declares.
//!
//! The code spaces of a catalogue come in once; then the places in a haystack where a code may be go out.
//! Whether there is one is decided by [`code`](super::code). One prefix costs one more search over every
//! byte: it is done for a block while the block is in a near cache, and a search for one fixed string is much
//! faster than any automaton for several. The usual catalogue has one prefix, and the number of spaces is
//! limited.

use super::code::{CodeForm, may_be_code};
use crate::catalog::CodeSpace;
use memchr::memmem::Finder;
use std::ops::Range;

/// The searches for the codes of a catalogue.
#[derive(Debug)]
pub struct CodeAnchors {
    /// The forms of codes, in the order of their spaces.
    forms: Vec<CodeForm>,
    /// In the order in which their prefixes first appear.
    anchors: Vec<CodeAnchor>,
}

/// The search for one prefix.
#[derive(Debug)]
struct CodeAnchor {
    finder: Finder<'static>,
    /// The forms that have this prefix, by index.
    forms: Vec<usize>,
}

/// A place where a code may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeCandidate {
    /// The offset of its first byte.
    pub at: usize,
    /// Its form, by index.
    pub form: usize,
}

impl CodeAnchors {
    /// Compiles the searches for `spaces`.
    pub fn new(spaces: &[CodeSpace]) -> CodeAnchors {
        let mut anchors: Vec<CodeAnchor> = Vec::new();
        for (form, space) in spaces.iter().enumerate() {
            let prefix = space.prefix().as_bytes();
            match anchors.iter_mut().find(|anchor| anchor.finder.needle() == prefix) {
                Some(known) => known.forms.push(form),
                None => {
                    let finder = Finder::new(prefix).into_owned();
                    anchors.push(CodeAnchor { finder, forms: vec![form] });
                }
            }
        }
        CodeAnchors { forms: spaces.iter().map(CodeForm::new).collect(), anchors }
    }

    /// The form with this index.
    pub fn form(&self, index: usize) -> &CodeForm {
        &self.forms[index]
    }

    /// The length of the longest code; 0 without any space.
    pub fn longest(&self) -> usize {
        self.forms.iter().map(CodeForm::code_len).max().unwrap_or(0)
    }

    /// Calls `found` for each candidate with its prefix in `range` of `bytes`; those of one prefix are in
    /// order. Spaces may overlap (`60` and `603`), so that a place may be found more than once, as several
    /// forms.
    pub fn each(&self, bytes: &[u8], range: Range<usize>, mut found: impl FnMut(CodeCandidate)) {
        for anchor in &self.anchors {
            for at in anchor.finder.find_iter(&bytes[range.clone()]).map(|at| range.start + at) {
                let is_form = |form: &&usize| may_be_code(bytes, at, &self.forms[**form]);
                anchor.forms.iter().filter(is_form).for_each(|form| found(CodeCandidate { at, form: *form }));
            }
        }
    }
}
