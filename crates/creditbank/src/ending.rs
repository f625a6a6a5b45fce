//! How a command ends: an exit code that scripts can rely on, and, where it ends early, why and what to do.

pub(crate) mod client;
mod service;

use crate::language::Phrase;
use credit_types::Text;
use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// The ledger refused, or some rows were refused.
    Refused,
    /// The command, a file it was given or the configuration makes no sense.
    Usage,
    /// A proof is false or something failed to verify.
    Broken,
    /// The ledger can't be reached, or a file can't be read or written.
    Unreachable,
    /// A newer program is needed to tell.
    NeedsNewer,
}

impl Exit {
    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Broken => 3,
            Self::Unreachable => 4,
            Self::NeedsNewer => 5,
        }
    }
}

impl Exit {
    /// The first of several ends that is not the good one.
    #[must_use]
    pub(crate) fn or(self, next: Self) -> Self {
        if self == Self::Done { next } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// The exit code.
    pub(crate) exit: Exit,
    /// What is wrong and what to do, in both languages.
    pub(crate) text: Text,
    /// The chain of causes, in English.
    pub(crate) cause: Option<anyhow::Error>,
}

/// How a command ends.
pub(crate) type Ending = Result<Exit, CommandError>;

impl CommandError {
    /// An error without a cause.
    pub(crate) fn new(exit: Exit, phrase: Phrase, places: &[&dyn Display]) -> Self {
        Self { exit, text: phrase.with(places), cause: None }
    }

    /// An error of the command line, of a file or of the configuration.
    pub(crate) fn usage(phrase: Phrase, places: &[&dyn Display]) -> Self {
        Self::new(Exit::Usage, phrase, places)
    }

    /// Names the cause.
    #[must_use]
    pub(crate) fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The causes below the text, outermost first, in English.
    pub(crate) fn causes(&self) -> Vec<String> {
        self.cause.iter().flat_map(|cause| cause.chain().map(ToString::to_string)).collect()
    }
}

/// A file that could not be read.
pub(crate) fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> CommandError {
    let shown = path.display().to_string();
    move |cause| CommandError::new(Exit::Unreachable, Phrase::FileUnreadable, &[&shown]).because(cause)
}

/// A file that could not be written.
pub(crate) fn unwritable(path: &Path) -> impl FnOnce(std::io::Error) -> CommandError {
    let shown = path.display().to_string();
    move |cause| CommandError::new(Exit::Unreachable, Phrase::FileUnwritable, &[&shown]).because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_documented_ones() {
        let all = [Exit::Done, Exit::Refused, Exit::Usage, Exit::Broken, Exit::Unreachable, Exit::NeedsNewer];
        assert_eq!(all.map(Exit::number), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn an_error_tells_its_causes_from_the_outside_in() {
        let inner = std::io::Error::other("the disk is gone");
        let error = unreadable(Path::new("x.csv"))(inner);
        assert_eq!((error.exit, error.causes()), (Exit::Unreachable, vec!["the disk is gone".to_owned()]));
        assert!(error.text.en.contains("x.csv") && error.text.zh.contains("x.csv"));
    }
}
