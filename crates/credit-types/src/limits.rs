//! Every bound of the product that more than one crate relies on, in one place, with the relations between them.

/// The most bytes of one signed payload.
pub const PAYLOAD_BYTES_MAX: usize = 45_056;
/// The most bytes of a payload type.
pub const PAYLOAD_TYPE_BYTES_MAX: usize = 96;
/// The most signatures on one statement.
pub const SIGNATURES_MAX: usize = 16;
/// The most bytes of all parts of an entry together, kind bytes included.
pub const ENTRY_PARTS_BYTES_MAX: usize = 49_152;
/// The most events of one entry.
pub const ENTRY_EVENTS_MAX: usize = 128;
/// The most leaves of one chunk of a batch.
pub const CHUNK_LEAVES_MAX: usize = 64;
/// The most leaves of one batch.
pub const BATCH_LEAVES_MAX: u32 = 1 << 20;
/// The most bytes of one leaf's payload.
pub const LEAF_BYTES_MAX: usize = 512;
/// The most batches one signer may have open.
pub const OPEN_BATCHES_MAX: usize = 16;
/// The most hashes of a chunk's path: the depth of a tree over all chunks of the largest batch.
pub const CHUNK_PATH_MAX: usize = 14;
/// The most milli-credits of one amount: a million credits.
pub const CREDITS_MILLI_MAX: i64 = 1_000_000_000;
/// The most minutes of one record.
pub const MINUTES_MAX: i32 = 10_000_000;
/// The most minutes of a class hour.
pub const CLASS_HOUR_MINUTES_MAX: i32 = 120;
/// The most status changes of one record or account that are not terminal.
pub const STATUS_STEPS_MAX: usize = 64;
/// The most status changes before a suspension by order: whoever may only use up [`STATUS_STEPS_MAX`] can't keep an
/// order away.
pub const STATUS_STEPS_ORDER_MAX: usize = 128;
/// The most records of one account.
pub const ACCOUNT_RECORDS_MAX: u32 = 65_536;
/// The most keys of one institution, over all time.
pub const INSTITUTION_KEYS_MAX: usize = 256;
/// The most keys of one institution for which its own signature is enough; the rest is left to the authority, so that
/// who has stolen a key can't use up all.
pub const INSTITUTION_OWN_KEYS_MAX: usize = 192;
/// The most keys an admission brings.
pub const ADMISSION_KEYS_MAX: usize = 8;
/// The most accreditations of an institution.
pub const ACCREDITATIONS_MAX: usize = 16;
/// The most level ranges of an accreditation.
pub const LEVEL_RANGES_MAX: usize = 8;
/// The most subject or occupation prefixes of an accreditation.
pub const PREFIXES_MAX: usize = 16;
/// The most keys of one kind in a genesis, authority keys aside.
pub const GENESIS_KEYS_MAX: usize = 4;
/// The most authority keys.
pub const AUTHORITY_KEYS_MAX: usize = 16;
/// The most authority keys that a statement may need: an admission carries each new key's own signature as well.
pub const AUTHORITY_THRESHOLD_MAX: usize = SIGNATURES_MAX - ADMISSION_KEYS_MAX;
/// The most schemes of one framework.
pub const SCHEMES_MAX: usize = 32;
/// The most bytes of an institution id, a signer id or a framework id.
pub const ID_BYTES_MAX: usize = 64;
/// The most bytes of a scheme id.
pub const SCHEME_ID_BYTES_MAX: usize = 32;
/// The most bytes of a subject or occupation code.
pub const CODE_BYTES_MAX: usize = 16;
/// The most bytes of a document, order or accreditation number.
pub const REFERENCE_BYTES_MAX: usize = 64;
/// The most bytes of one language of a text.
pub const TEXT_BYTES_MAX: usize = 256;
/// The most bytes of the log's origin.
pub const ORIGIN_BYTES_MAX: usize = 128;
/// The fewest bytes of the log's origin.
pub const ORIGIN_BYTES_MIN: usize = 3;
/// The farthest that civil time lies from UTC, in minutes.
pub const CIVIL_OFFSET_MINUTES_MAX: i32 = 840;
/// The most milli-credits of a scheme's step: a thousand credits.
pub const STEP_MILLI_MAX: i64 = 1_000_000;
/// The most notional minutes of one credit.
pub const SCHEME_MINUTES_MAX: i32 = 1_000_000;
/// The digits of an administrative division (GB/T 2260).
pub const DISTRICT_CODE_BYTES: usize = 6;
/// The characters of a unified social credit identifier (GB 32100).
pub const USCI_BYTES: usize = 18;
/// The most bytes of the name and version of a server's software.
pub const SOFTWARE_BYTES_MAX: usize = 64;
/// The most bytes of a person's name.
pub const PERSON_NAME_BYTES_MAX: usize = 128;
/// The letters of a country code (ISO 3166-1 alpha-3).
pub const COUNTRY_CODE_BYTES: usize = 3;
/// The most bytes of an identity document's number.
pub const DOCUMENT_NUMBER_BYTES_MAX: usize = 32;
/// The most bytes of a telephone number (E.164, with its plus).
pub const PHONE_BYTES_MAX: usize = 16;
/// The most bytes of the name of a score's or grade's scale.
pub const SCALE_ID_BYTES_MAX: usize = 32;
/// The most bytes of a grade.
pub const GRADE_BYTES_MAX: usize = 32;
/// The greatest attendance, in thousandths.
pub const ATTENDANCE_PERMILLE_MAX: i32 = 1_000;
/// The most bytes of a term.
pub const TERM_BYTES_MAX: usize = 16;
/// The greatest number of an attempt.
pub const ATTEMPT_MAX: u32 = 99;
/// The most bytes of a language of instruction (BCP 47).
pub const LANGUAGE_BYTES_MAX: usize = 16;
/// The most bytes of the media type of a document.
pub const MEDIA_TYPE_BYTES_MAX: usize = 64;
/// The most postings of one event: one out of each bucket.
pub const POSTINGS_MAX: usize = 8;
/// The most lines of a balance.
pub const BALANCE_LINES_MAX: usize = 512;
/// The most bytes of the name of a file that a manifest lists.
pub const FILE_NAME_BYTES_MAX: usize = 128;
/// The most bytes of an evidence location.
pub const LOCATION_BYTES_MAX: usize = 256;
/// The most documents behind a record.
pub const EVIDENCE_MAX: usize = 16;
/// The most student numbers in an identity.
pub const STUDENT_NUMBERS_MAX: usize = 8;
/// The most aliases of an opening: account number, document, student numbers.
pub const OPENING_ALIASES_MAX: usize = STUDENT_NUMBERS_MAX + 2;
/// The most levels in tenths.
pub const LEVEL_TENTHS_MAX: i32 = 1_000;
/// The most rounds in which a command may name rows to read.
pub const READ_ROUNDS_MAX: usize = 4;
/// The most keys walked to find whether a key rests on a suspect one.
pub const SUSPECT_DEPTH_MAX: usize = 256;
/// The longest a policy window may be, in days.
pub const POLICY_DAYS_MAX: u32 = 365;
/// The most years of default validity.
pub const VALIDITY_YEARS_MAX: u32 = 100;
/// The most bytes of an id in a rule book.
pub const BOOK_NAME_BYTES_MAX: usize = 128;
/// The greatest version of a rule book.
pub const BOOK_VERSION_MAX: u32 = 1_000_000_000;
/// The most bytes of a rule book's canonical JSON: a public blob.
pub const BOOK_BLOB_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// The most versions of one rule book, over all time.
pub const BOOK_VERSIONS_MAX: usize = 512;
/// The most rules that one auto-approval names.
pub const AUTO_APPROVAL_RULES_MAX: usize = 256;
/// The most versions of books for which one institution has an auto-approval.
pub const AUTO_APPROVALS_MAX: usize = 64;
/// The most records of one application.
pub const APPLICATION_RECORDS_MAX: usize = 64;
/// The most items of one proposal.
pub const APPLICATION_ITEMS_MAX: usize = 64;
/// The most bytes that the events of one application may come to, before they are encoded: names above all.
pub const APPLICATION_BYTES_MAX: usize = 36_864;
/// The most applications of one account, over all time.
pub const ACCOUNT_APPLICATIONS_MAX: usize = 1_024;
/// The most uses of an account's records, over all time.
pub const ACCOUNT_USES_MAX: usize = 8_192;
/// The most changes of one application's status.
pub const APPLICATION_STEPS_MAX: usize = 32;
/// The most appeals of one application: to another officer, then to a regulator.
pub const APPEALS_MAX: usize = 2;
/// The most courses that a learner states as met.
pub const MET_MAX: usize = 64;
/// The most facts that a learner states of records.
pub const CONVERSION_FACTS_MAX: usize = 128;
/// The most bytes of such a fact's value.
pub const FACT_VALUE_BYTES_MAX: usize = 64;
/// The most bytes of the explanation of one application.
pub const EXPLANATION_BYTES_MAX: usize = 1 << 20;
/// Microseconds in a day.
pub const DAY_US: i64 = 86_400_000_000;

// One account's records sum in an i64 with room to spare.
const _: () = assert!((ACCOUNT_RECORDS_MAX as i64) <= i64::MAX / CREDITS_MILLI_MAX);
// The path of a chunk reaches every chunk of the largest batch.
const _: () = assert!((BATCH_LEAVES_MAX as usize) / CHUNK_LEAVES_MAX == 1 << CHUNK_PATH_MAX);
// A full chunk fits one entry: leaves with their frame, one deposit event and one link a leaf, the chunk's own event.
const _: () = assert!(
    CHUNK_LEAVES_MAX * (LEAF_BYTES_MAX + 20) + CHUNK_LEAVES_MAX * (112 + 68) + CHUNK_PATH_MAX * 34 + 256
        <= ENTRY_PARTS_BYTES_MAX
);
// The largest payload fits an entry with its envelope, 16 signatures, head, link and event.
const _: () = assert!(PAYLOAD_BYTES_MAX + 4_096 <= ENTRY_PARTS_BYTES_MAX);
// A balance of most lines, each with the longest scheme and the greatest numbers, is one message.
const _: () = assert!(BALANCE_LINES_MAX * 80 + 512 <= PAYLOAD_BYTES_MAX);
// A chunk's events: one a leaf, the chunk, the closing.
const _: () = assert!(CHUNK_LEAVES_MAX + 2 <= ENTRY_EVENTS_MAX);
// An admission carries the authority's threshold and a proof of possession of each key.
const _: () = assert!(AUTHORITY_THRESHOLD_MAX >= 1 && AUTHORITY_THRESHOLD_MAX <= AUTHORITY_KEYS_MAX);
// The authority can still give an institution keys once it has used up its own.
const _: () = assert!(INSTITUTION_OWN_KEYS_MAX + ADMISSION_KEYS_MAX < INSTITUTION_KEYS_MAX);
// The events of an application fit an entry beside its request: records with the longest issuer, and the frame.
const _: () = assert!(
    APPLICATION_BYTES_MAX + APPLICATION_RECORDS_MAX * (ID_BYTES_MAX + 24) + 4_096 <= ENTRY_PARTS_BYTES_MAX
);
// An order finds room when the issuer's changes are used up.
const _: () = assert!(STATUS_STEPS_MAX + 1 < STATUS_STEPS_ORDER_MAX);
