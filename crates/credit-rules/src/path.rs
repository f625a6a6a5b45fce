//! Where in a book, or in a file of cases, something stands.

use serde::{Serialize, Serializer};
use std::fmt;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep {
    /// Into a table, by its key.
    Key(String),
    /// Into a list, counted from 0.
    Index(usize),
}

/// A path from the top of a file: `rule[3].convert.ratio`, `groups."cn.ce.accredited"[0]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct BookPath(pub Vec<PathStep>);

impl fmt::Display for BookPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |key: &str| {
            !key.is_empty()
                && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
        };
        let mut first = true;
        for step in &self.0 {
            match step {
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(key) => {
                    if !first {
                        f.write_str(".")?;
                    }
                    if bare(key) { f.write_str(key)? } else { write!(f, "{key:?}")? }
                }
            }
            first = false;
        }
        Ok(())
    }
}

impl Serialize for BookPath {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Where a walk stands: a list that grows down the stack, so that a path is only written out for a finding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: AtStep<'a>,
}

#[derive(Debug, Clone, Copy)]
enum AtStep<'a> {
    Top,
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    /// The top of a file.
    pub(crate) const TOP: Self = Self { above: None, step: AtStep::Top };

    /// The value of a key.
    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        Self { above: Some(self), step: AtStep::Key(key) }
    }

    /// A member of a list.
    pub(crate) fn index(&'a self, index: usize) -> Self {
        Self { above: Some(self), step: AtStep::Index(index) }
    }

    /// The path.
    pub(crate) fn path(&self) -> BookPath {
        let mut steps = Vec::new();
        let mut here = Some(self);
        while let Some(at) = here {
            match at.step {
                AtStep::Top => {}
                AtStep::Key(key) => steps.push(PathStep::Key(key.to_owned())),
                AtStep::Index(index) => steps.push(PathStep::Index(index)),
            }
            here = at.above;
        }
        steps.reverse();
        BookPath(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_an_officer_reads_it() {
        let rules = At::TOP.key("rule");
        let rule = rules.index(3);
        let convert = rule.key("convert");
        assert_eq!(convert.key("ratio").path().to_string(), "rule[3].convert.ratio");
        let groups = At::TOP.key("groups");
        let group = groups.key("cn.ce.accredited");
        assert_eq!(group.index(0).path().to_string(), "groups.\"cn.ce.accredited\"[0]");
        assert_eq!(At::TOP.path().to_string(), "");
    }
}
