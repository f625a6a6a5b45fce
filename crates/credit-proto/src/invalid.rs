//! What is wrong with a message, said so that its sender can mend it: which field, which limit, what to do.

use credit_types::{Reason, Rejection};

use crate::strict::NotCanonical;

/// A field that is missing, malformed or out of its bounds, or bytes that aren't canonical.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: `{field}` {problem}", reason.name())]
pub struct InvalidField {
    /// `FieldInvalid`, `PayloadNotCanonical` or `PayloadTypeWrong`.
    pub reason: Reason,
    /// The path of the field, for example `facts.amount.credits_milli`; empty for the message as a whole.
    pub field: String,
    /// Which limit or rule is broken, and what to do.
    pub problem: String,
}

impl InvalidField {
    /// A field that is missing or out of its bounds.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { reason: Reason::FieldInvalid, field: field.into(), problem: problem.into() }
    }

    /// A payload type that isn't taken here.
    pub fn payload_type(payload_type: &str) -> Self {
        Self {
            reason: Reason::PayloadTypeWrong,
            field: "payload_type".to_owned(),
            problem: format!("`{payload_type}` is not taken here: use the type that the reference names"),
        }
    }

    /// Puts the path under an outer field.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.field = if self.field.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.field) };
        self
    }
}

impl From<NotCanonical> for InvalidField {
    fn from(error: NotCanonical) -> Self {
        let NotCanonical { offset, path, problem } = error;
        let remedy =
            "encode fields in ascending order with minimal varints, without defaults or unknown fields";
        Self {
            reason: Reason::PayloadNotCanonical,
            field: path,
            problem: format!("first differs at byte {offset}: {problem}; {remedy}"),
        }
    }
}

impl From<InvalidField> for Rejection {
    fn from(error: InvalidField) -> Self {
        let InvalidField { reason, field, problem } = error;
        let rejection = Rejection::new(reason).detail(problem);
        if field.is_empty() { rejection } else { rejection.field(field) }
    }
}

/// Names the outer field of what went wrong inside it.
pub(crate) trait At {
    /// Under a field.
    fn at(self, outer: &str) -> Self;
    /// Under one element, from 0, of a repeated field.
    fn at_element(self, outer: &str, position: usize) -> Self;
}

impl<T> At for Result<T, InvalidField> {
    fn at(self, outer: &str) -> Self {
        self.map_err(|error| error.within(outer))
    }

    fn at_element(self, outer: &str, position: usize) -> Self {
        self.map_err(|error| error.within(&format!("{outer}[{position}]")))
    }
}
