//! The store, the high-water file and the keyring under hard use: limits, damaged files, torn writes.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests count in small numbers and fail loudly"
)]
#![expect(clippy::unwrap_used, reason = "an error where none is expected fails the test")]

mod compact;
mod damage;
mod high_water;
mod keyring;
mod limits;
mod model;
mod opening;
mod sample;
mod writing;
