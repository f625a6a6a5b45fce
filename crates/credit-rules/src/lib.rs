//! Rule books: what credit of one institution is worth at another, and why.

pub mod plan;
