//! The values of a rule book and their text forms: what officers write is what is hashed, in one normal form.

mod amount;
mod day;
mod label;
mod many;
mod name;

pub use amount::{Credit, Limit, Percent, Ratio, Time};
pub(crate) use amount::{decimal, decimal_text};
pub use day::{Day, MonthDay, Period, Window};
pub use label::{Label, Language};
pub use many::Many;
pub use name::{Name, Symbol};

/// A text that is not of the form that its place asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {form}, is {text:?}")]
pub struct FormError {
    /// The form, with an example.
    pub form: &'static str,
    /// The text, shortened.
    pub text: String,
}

impl FormError {
    /// That `text` has not the form.
    pub(crate) fn new(form: &'static str, text: &str) -> Self {
        Self { form, text: text.chars().take(64).collect() }
    }
}

/// Reads and writes a type by its text form.
macro_rules! text_form {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_form;
