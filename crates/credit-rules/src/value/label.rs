//! Labels in both languages.

use crate::limits::LABEL_BYTES_MAX;
use serde::{Deserialize, Serialize};

/// A language of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Zh,
    /// English.
    En,
}

/// A text in Chinese and English; neither may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Written")]
pub struct Label {
    /// 中文.
    pub zh: String,
    /// English.
    pub en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    zh: String,
    en: String,
}

impl TryFrom<Written> for Label {
    type Error = String;

    fn try_from(Written { zh, en }: Written) -> Result<Self, String> {
        for (language, text) in [("zh", &zh), ("en", &en)] {
            let ok = (1..=LABEL_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control);
            if !ok {
                return Err(format!(
                    "label {language} must be 1 to {LABEL_BYTES_MAX} bytes without control characters, is {} bytes",
                    text.len()
                ));
            }
        }
        Ok(Self { zh, en })
    }
}

impl Label {
    /// The text in a language.
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.zh.is_empty() && self.en.is_empty()
    }
}
