//! Text for people, in the two languages of the product.

use serde::{Deserialize, Serialize};

/// A text in Chinese, English or both; at least one is set. Checked at admission to be NFC without control marks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Chinese; empty if there is none.
    pub zh: String,
    /// English; empty if there is none.
    pub en: String,
}
