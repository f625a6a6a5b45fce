//! The rules of docs/architecture.md, checked in milliseconds: who may depend on whom, who may do what, what a file may
//! look like.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test says what is wrong by stopping")]

mod arrows;
mod sources;

use std::path::PathBuf;

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders below the workspace").to_path_buf()
}
