//! Rule books: what credit of one institution is worth at another, and why.
//!
//! A book is written by officers in TOML, checked, and published as canonical JSON: those bytes are what is hashed,
//! signed, logged and replayed. Nothing here reads a clock, a file or a random number, and no result depends on the
//! order of rules, records or keys. Amounts are integers; between them stand exact fractions, rounded once, where the
//! rule says.
//!
//! Start reading at [`book::Book`], then [`input::Question`] and [`answer::Offer`].

pub mod allocate;
pub mod answer;
pub mod award;
pub mod book;
pub mod cases;
pub mod check;
pub mod compliance;
pub mod diff;
pub mod evaluate;
pub mod explain;
pub mod finding;
pub mod grade;
pub mod input;
pub mod level;
pub mod limits;
pub mod meter;
pub mod parse;
pub mod path;
pub mod plan;
pub mod program;
pub mod ratio;
pub mod reason;
pub mod sentence;
pub mod value;
