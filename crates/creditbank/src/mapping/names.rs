//! The names of our enums' values as they are written in files: those of the wire without their prefix.

use credit_types::{DeliveryMode, HourKind, PassState, RecordKind};

/// The kinds of records.
pub(crate) const RECORD_KINDS: [(&str, RecordKind); 10] = [
    ("FORMAL_COURSE", RecordKind::FormalCourse),
    ("NONDEGREE_COURSE", RecordKind::NondegreeCourse),
    ("SKILL_GRADE", RecordKind::SkillGrade),
    ("X_CERT", RecordKind::XCert),
    ("QUALIFICATION", RecordKind::Qualification),
    ("EXAM", RecordKind::Exam),
    ("CPD", RecordKind::Cpd),
    ("ACTIVITY", RecordKind::Activity),
    ("EXPERIENCE", RecordKind::Experience),
    ("AWARD", RecordKind::Award),
];

/// What minutes count.
pub(crate) const HOUR_KINDS: [(&str, HourKind); 4] = [
    ("CONTACT", HourKind::Contact),
    ("NOTIONAL", HourKind::Notional),
    ("CONTINUING", HourKind::Continuing),
    ("PRACTICE", HourKind::Practice),
];

/// Whether the learner passed.
pub(crate) const PASS_STATES: [(&str, PassState); 3] =
    [("PASSED", PassState::Passed), ("FAILED", PassState::Failed), ("NOT_ASSESSED", PassState::NotAssessed)];

/// How learning was delivered.
pub(crate) const MODES: [(&str, DeliveryMode); 4] = [
    ("FACE_TO_FACE", DeliveryMode::FaceToFace),
    ("ONLINE", DeliveryMode::Online),
    ("BLENDED", DeliveryMode::Blended),
    ("SELF_STUDY", DeliveryMode::SelfStudy),
];

/// Truth values.
pub(crate) const TRUTHS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// The value of that name.
pub(crate) fn named<T: Copy>(names: &[(&'static str, T)], text: &str) -> Option<T> {
    names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value)
}
