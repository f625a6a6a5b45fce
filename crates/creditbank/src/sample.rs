//! The invented city that demonstrations and trials use: institutions, frameworks, a catalogue, and a year of records.
//!
//! The data is that of `ledger-data/`, built into the program so that it needs no file. [`Sample::load`] reads it;
//! [`Year`] draws learners and records from a seed, the same on every machine. No person, institution or number in it
//! is real.

mod catalogue;
mod coverage;
mod draft;
mod frameworks;
mod institutions;
mod learner;
mod names;
mod profiles;
mod splitmix;
#[cfg(test)]
mod tests;
mod year;
#[cfg(test)]
mod year_tests;

pub(crate) use frameworks::read as read_framework;
pub(crate) use institutions::read as read_institutions;
pub(crate) use year::{Year, YearPlan};

use catalogue::CatalogueItem;
use credit_types::{FrameworkPublication, InstitutionAdmission};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The invented city.
#[derive(Debug)]
pub(crate) struct Sample {
    /// Its institutions, parents before children, without keys.
    pub(crate) institutions: Vec<InstitutionAdmission>,
    /// The frameworks and credit schemes it uses.
    pub(crate) frameworks: Vec<FrameworkPublication>,
    /// What its institutions attest.
    pub(crate) catalogue: Vec<CatalogueItem>,
}

/// Shipped data that can't be used; the tests see to it that it never comes to that.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SampleError {
    /// It is not of the form of its kind.
    #[error("could not read {file}")]
    Syntax {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        #[source]
        cause: Box<toml::de::Error>,
    },
    /// A value is out of its bounds.
    #[error("{what} {value:?} {problem}")]
    Value {
        /// What the value is of.
        what: &'static str,
        /// The value.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl SampleError {
    fn value(what: &'static str, value: &str, problem: impl ToString) -> Self {
        Self::Value { what, value: value.to_owned(), problem: problem.to_string() }
    }
}

impl Sample {
    /// Reads the data built into the program.
    pub(crate) fn load() -> Result<Self, SampleError> {
        Ok(Self {
            institutions: institutions::load()?,
            frameworks: frameworks::load()?,
            catalogue: catalogue::load()?,
        })
    }
}

/// A text in two languages as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TextForm {
    zh: String,
    en: String,
}

impl TextForm {
    fn text(self) -> credit_types::Text {
        credit_types::Text { zh: self.zh, en: self.en }
    }
}

fn parse<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, SampleError> {
    toml::from_str(text).map_err(|cause| SampleError::Syntax { file, cause: Box::new(cause) })
}
