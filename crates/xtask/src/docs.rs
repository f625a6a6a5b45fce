//! The reference pages under `docs/` that are made from code.

use std::path::Path;

use anyhow::Result;

use crate::fresh::Generated;
use crate::{page_api, page_errors, page_limits, page_rules};

/// A page: where it belongs, relative to the workspace's folder, and what writes its whole text.
type Page = (&'static str, fn(&Path) -> Result<String>);

/// Every generated page. A page is added here, with its generator in a file of its own beside this one.
const PAGES: &[Page] = &[
    ("docs/reference/errors.md", page_errors::write),
    ("docs/reference/limits.md", page_limits::write),
    ("docs/reference/api.md", page_api::write),
    ("docs/reference/rule-examples.md", page_rules::write),
];

/// Makes every page.
pub(crate) fn generate(root: &Path) -> Result<Vec<Generated>> {
    PAGES
        .iter()
        .map(|(path, write)| Ok(Generated { path: (*path).to_owned(), bytes: write(root)?.into_bytes() }))
        .collect()
}
