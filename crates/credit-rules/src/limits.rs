//! What bounds a rule book, and with it the time that an evaluation can take.

/// Rules in a book: five thousand are known of the largest system; four times as many leaves room.
pub const RULES_MAX: usize = 20_000;
/// Bytes of a rule book, as TOML or as canonical JSON: a public blob of the ledger.
pub const BOOK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of an id in a book.
pub const BOOK_ID_BYTES_MAX: usize = 128;
/// Bytes of a label in one language.
pub const LABEL_BYTES_MAX: usize = 1_024;
/// Rows of one decision table.
pub const TABLE_ROWS_MAX: usize = 200;
/// Columns of one decision table.
pub const TABLE_COLUMNS_MAX: usize = 8;
/// Values in one list of a condition, a cell or a filter.
pub const LIST_MAX: usize = 200;
/// Records that one term of a bundle consumes.
pub const BUNDLE_ITEMS_MAX: usize = 8;
/// Terms of a bundle in disjunctive normal form.
pub const BUNDLE_TERMS_MAX: usize = 64;
/// Depth of a bundle.
pub const BUNDLE_DEPTH_MAX: usize = 6;
/// Leaves of a guard.
pub const GUARD_LEAVES_MAX: usize = 64;
/// Depth of a guard.
pub const GUARD_DEPTH_MAX: usize = 6;
/// Facts that a rule declares.
pub const FACTS_MAX: usize = 32;
/// Caps of one rule.
pub const CAPS_MAX: usize = 16;
/// Targets of one rule.
pub const TARGETS_MAX: usize = 16;
/// Steps of a decay, rows of a factor, steps of a ladder.
pub const STEPS_MAX: usize = 32;
/// Constraints, programmes, awards, compliance rules, grade maps or level maps in a book, of each.
pub const PARTS_MAX: usize = 2_000;
/// Requirements of one award or programme.
pub const REQUIREMENTS_MAX: usize = 64;
/// Depth of alternatives in a requirement.
pub const REQUIREMENT_DEPTH_MAX: usize = 3;
/// Records in one question.
pub const RECORDS_MAX: usize = 1_000;
/// Offers that one record may give rise to.
pub const OFFERS_PER_RECORD_MAX: usize = 64;
/// Worked cases beside a book.
pub const CASES_MAX: usize = 100_000;
/// Bytes of a file of worked cases.
pub const CASES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest amount of credit in a book, in milli-credits.
pub const AMOUNT_MILLI_MAX: i64 = 1_000_000_000;
/// The longest time in a book, in minutes: 100 years of hours.
pub const MINUTES_MAX: i64 = 52_560_000;
/// The largest term of a ratio.
pub const RATIO_TERM_MAX: i64 = 1_000_000_000;
/// The longest period, in months.
pub const PERIOD_MONTHS_MAX: u32 = 1_200;
/// The longest period, in days.
pub const PERIOD_DAYS_MAX: u32 = 36_600;
/// Steps of the search for records that together make up a bundle.
pub const BUNDLE_STEPS_MAX: usize = 10_000;
/// Earlier uses in one question.
pub const USES_MAX: usize = 10_000;
/// How deep tables and lists stand in each other, dots of a key counted too; of TOML a header may add as much again. The
/// deepest that a book needs is a guard or a bundle of six levels in a rule, about 16.
pub const NESTING_MAX: usize = 32;
/// Findings that are listed of one book.
pub const FINDINGS_MAX: usize = 1_000;
/// Minutes of a class hour (学时).
pub const XS_MINUTES_MAX: i64 = 240;
/// Years of a cycle or of a rolling period.
pub const CYCLE_YEARS_MAX: u32 = 100;
/// A version of a book.
pub const VERSION_MAX: u32 = 1_000_000_000;
/// A count of records in a maximum or a requirement.
pub const COUNT_MAX: u32 = 1_000_000;
/// Pieces of a table, or of the conditions of a rule, that are looked at while it is checked what is left over.
pub const PIECES_MAX: usize = 1_000_000;
/// Pairs of rules that are held against each other after conditions that name something have told them apart.
pub const OVERLAP_PAIRS_MAX: usize = 20_000_000;
/// Standards that convert into each other round a circle.
pub const CIRCLE_MAX: usize = 24;
