//! What is granted: of all legal uses the best together, under every maximum at once.

mod caps;
mod lower;
mod outcome;
mod select;

pub use caps::CapNote;
pub use outcome::{CapUse, Grant, Missing};

use crate::answer::{Offer, Refusal};
use crate::evaluate::{Answer, QuestionError};
use crate::input::Question;
use crate::plan::{self, Model, ModelError, Plan};
use crate::program::Program;
use crate::value::Name;

/// What is granted for a question, and why no more.
#[derive(Debug, Clone)]
pub struct Allocated {
    /// Every legal use, in the order in which the model counts them.
    pub offers: Vec<Offer>,
    /// What is granted, by rule and records.
    pub grants: Vec<Grant>,
    /// All credit that is granted, in milli-credits.
    pub credit_milli: i64,
    /// Why records are not used, or not by a rule that names them; by record and rule.
    pub refusals: Vec<Refusal>,
    /// Every maximum: what was used before, and what is used now.
    pub caps: Vec<CapUse>,
    /// Requirements of the programme that stay open.
    pub missing: Vec<Missing>,
    /// Requirements of the programme that are complete.
    pub completed: Vec<Name>,
    /// Rules of which a limit kept offers away.
    pub cut: Vec<Name>,
    /// What was planned.
    pub model: Model,
    /// The plan and its certificate.
    pub plan: Plan,
}

/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// The question can't be answered.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The legal uses are too many to be planned.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A maximum of the book can't be counted, or an amount does not fit; a checked book has none.
    #[error("the maximum {0} can't be counted")]
    Cap(String),
}

impl Program {
    /// Says what is granted.
    pub fn allocate(&self, question: &Question) -> Result<Allocated, AllocateError> {
        let Answer { mut offers, refusals, cut } = self.answer(question)?;
        offers.dedup_by(|left, right| lower::same(left, right));
        let lowered = lower::lower(self, question, &offers)?;
        let plan = plan::plan(&lowered.model)?;
        Ok(outcome::told(offers, refusals, cut, lowered, plan))
    }
}
