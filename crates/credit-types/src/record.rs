//! Records of learning: facts, details, corrections, status, batches.

use crate::credits::Amount;
use crate::date::CivilDate;
use crate::id::{AccountRef, Digest, FrameworkId, InstitutionId, RecordId};
use crate::statement::StatusReason;
use crate::text::Text;
use serde::{Deserialize, Serialize};

/// What a record attests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecordKind {
    /// 学历课程.
    FormalCourse,
    /// 非学历课程.
    NondegreeCourse,
    /// 职业技能等级.
    SkillGrade,
    /// 1+X 证书.
    XCert,
    /// 职业资格.
    Qualification,
    /// 考试.
    Exam,
    /// 继续教育.
    Cpd,
    /// 社区与老年教育活动.
    Activity,
    /// 学习经历与业绩.
    Experience,
    /// 奖励.
    Award,
}

/// What minutes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HourKind {
    /// Contact time.
    Contact,
    /// Notional learning time.
    Notional,
    /// Continuing-education hours.
    Continuing,
    /// Practice.
    Practice,
}

/// Learning time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minutes {
    /// What is counted.
    pub hour_kind: HourKind,
    /// How many minutes, from 1.
    pub minutes: i32,
    /// Length of one class hour in minutes; 0: not stated.
    pub class_hour_minutes: i32,
}

/// A level in a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// The framework.
    pub framework: FrameworkId,
    /// The level in tenths.
    pub tenths: i32,
}

/// The signed part of a record. The issuer is the signer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordFacts {
    /// The issuer's id for it.
    pub record_id: RecordId,
    /// The learner's account.
    pub account_ref: AccountRef,
    /// What it attests.
    pub kind: RecordKind,
    /// The credit; `None`: nothing is posted.
    pub amount: Option<Amount>,
    /// The learning time.
    pub minutes: Option<Minutes>,
    /// The level.
    pub level: Option<Level>,
    /// Subject code; empty if only an occupation is named.
    pub subject_code: String,
    /// Occupation code; empty if only a subject is named.
    pub occupation_code: String,
    /// The day of the award.
    pub awarded_on: CivilDate,
    /// The last day of validity.
    pub valid_until: Option<CivilDate>,
    /// Salted commitment to the details.
    pub details_commitment: Digest,
    /// Whether the issuer offers it for conversion.
    pub credit_eligible: bool,
}

/// How learning was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryMode {
    /// Face to face.
    FaceToFace,
    /// Online.
    Online,
    /// Both.
    Blended,
    /// Alone.
    SelfStudy,
}

/// Whether the learner passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PassState {
    /// Passed.
    Passed,
    /// Failed.
    Failed,
    /// Took part without assessment.
    NotAssessed,
}

/// A document behind a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// SHA-256 of the document.
    pub sha256: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// Where the issuer keeps it.
    pub location: String,
}

/// The secret part of a record. Empty strings and zeros stand for what is not stated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordDetails {
    /// Catalogue code@version.
    pub catalogue_ref: String,
    /// The title.
    pub title: Text,
    /// The score in thousandths.
    pub score_milli: Option<i64>,
    /// The scale of the score.
    pub score_scale_id: String,
    /// The grade as written.
    pub grade: String,
    /// The scale of the grade.
    pub grade_scale_id: String,
    /// Whether the learner passed.
    pub pass_state: Option<PassState>,
    /// Attendance in thousandths.
    pub attendance_permille: Option<i32>,
    /// The first day of learning.
    pub start_on: Option<CivilDate>,
    /// The last day of learning.
    pub end_on: Option<CivilDate>,
    /// The term.
    pub term: String,
    /// The certificate's number.
    pub certificate_no: String,
    /// Which attempt it was; 0: not stated.
    pub attempt: u32,
    /// How it was delivered.
    pub mode: Option<DeliveryMode>,
    /// Who assessed, where not the issuer.
    pub assessor_id: Option<InstitutionId>,
    /// Family of the record.
    pub lineage_key: String,
    /// Language of instruction.
    pub language: String,
    /// Contact time in minutes.
    pub contact_minutes: i32,
    /// Notional learning time in minutes.
    pub notional_minutes: i32,
    /// Documents behind the record.
    pub evidence: Vec<Evidence>,
}

/// The status of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecordStatus {
    /// In force.
    Valid,
    /// Blocked while something is looked into.
    Suspended,
    /// Taken back, for ever.
    Revoked,
    /// Replaced by a corrected record, for ever.
    Superseded,
}

/// Why a record is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CorrectionReason {
    /// A clerical error.
    Clerical,
    /// A score or grade was revised.
    GradeRevised,
    /// The amount was wrong.
    Amount,
    /// The learner's dispute was upheld.
    Dispute,
}

/// Replaces a record by a corrected one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCorrection {
    /// Leaf hash of the superseded record's last status entry.
    pub after: Digest,
    /// The record that is superseded.
    pub supersedes: RecordId,
    /// Why.
    pub reason: CorrectionReason,
    /// The corrected record.
    pub facts: RecordFacts,
    /// Salted commitment to the explanation.
    pub explanation_commitment: Option<Digest>,
}

/// What is done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecordAction {
    /// Take back, for ever.
    Revoke,
    /// Block.
    Suspend,
    /// Lift the block.
    Reinstate,
}

/// Revokes, suspends or reinstates a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordStatusChange {
    /// Leaf hash of the record's last status entry; `None` in a revocation.
    pub after: Option<Digest>,
    /// The account.
    pub account_ref: AccountRef,
    /// The record's issuer.
    pub issuer_id: InstitutionId,
    /// The record.
    pub record_id: RecordId,
    /// What is done.
    pub action: RecordAction,
    /// Why.
    pub reason: StatusReason,
    /// The order's reference; empty if there is none.
    pub order_ref: String,
    /// The day from which it holds.
    pub effective_from: Option<CivilDate>,
    /// Salted commitment to the explanation.
    pub explanation_commitment: Option<Digest>,
}

/// What the leaves of a batch are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LeafType {
    /// Record facts.
    Record,
    /// Account openings.
    Opening,
}

/// One signature over many leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchManifest {
    /// What the leaves are.
    pub leaf_type: LeafType,
    /// Count of leaves.
    pub record_count: u32,
    /// Root over the leaves.
    pub root: Digest,
}

/// Ends a batch before its last chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchClose {
    /// Index of the manifest's entry.
    pub manifest_index: u64,
}
