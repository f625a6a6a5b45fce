//! Institutions, what they may attest, and their keys.

use crate::date::CivilDate;
use crate::id::{Digest, FrameworkId, InstitutionId, Kid};
use crate::record::RecordKind;
use crate::text::Text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An Ed25519 public key that has been admitted: canonical and torsion-free. Its kid is computed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The 32 bytes of the key.
    pub bytes: [u8; 32],
    /// SHA-256("ed25519" 0x00 || bytes).
    pub kid: Kid,
}

/// What a key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyPurpose {
    /// Records, corrections and batch manifests of records.
    Records,
    /// Status changes of records.
    Status,
    /// Conversion decisions and awards.
    Decisions,
    /// Account openings, account status changes and batch manifests of openings.
    Registry,
    /// Changes to the owner's keys.
    Keys,
    /// The same, from a key kept offline.
    Recovery,
    /// Access tokens; never a statement.
    Tokens,
}

/// What an institution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InstitutionKind {
    /// 高校.
    University,
    /// 高职.
    VocationalCollege,
    /// 中职.
    VocationalSchool,
    /// 培训机构.
    TrainingProvider,
    /// 行业协会.
    IndustryAssociation,
    /// 社区学院.
    CommunityCollege,
    /// 鉴定机构.
    EvaluationBody,
    /// 雇主.
    Employer,
    /// 主管部门.
    Authority,
    /// 学分银行.
    CreditBank,
}

/// What an institution may do in the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Deposits records.
    Issuer,
    /// Assesses learning for others.
    Evaluator,
    /// Accepts converted credit.
    Acceptor,
    /// Grants awards.
    Awarder,
    /// Opens accounts and changes their status.
    Registrar,
    /// Suspends and revokes by order.
    Regulator,
    /// Cosigns checkpoints.
    Witness,
}

/// An inclusive range of levels in a framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelRange {
    /// The framework.
    pub framework: FrameworkId,
    /// The lowest level in tenths.
    pub min_tenths: i32,
    /// The highest level in tenths.
    pub max_tenths: i32,
}

/// What an institution may attest, by whose leave, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accreditation {
    /// Number of the accreditation document.
    pub accreditation_no: String,
    /// Who accredited.
    pub authority: String,
    /// The kinds of records it covers; at least one.
    pub kinds: BTreeSet<RecordKind>,
    /// The levels it covers; none: any level, and records without one.
    pub levels: Vec<LevelRange>,
    /// Prefixes of the subject codes it covers; with no prefix of either list, any code.
    pub subject_prefixes: BTreeSet<String>,
    /// Prefixes of the occupation codes it covers.
    pub occupation_prefixes: BTreeSet<String>,
    /// The first day on which a record may be awarded.
    pub valid_from: CivilDate,
    /// The last such day; `None`: open.
    pub valid_to: Option<CivilDate>,
}

/// A key of an institution with its purposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstitutionKey {
    /// The key.
    pub key: PublicKey,
    /// What it may sign; at least one.
    pub purposes: BTreeSet<KeyPurpose>,
}

/// Admits an institution with its first keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstitutionAdmission {
    /// Its id.
    pub institution_id: InstitutionId,
    /// What it is.
    pub kind: InstitutionKind,
    /// What it may do; at least one.
    pub roles: BTreeSet<Role>,
    /// Administrative division: 6 digits.
    pub district_code: String,
    /// The parent centre.
    pub parent_id: Option<InstitutionId>,
    /// Its name.
    pub name: Text,
    /// Unified social credit identifier; empty if it has none.
    pub usci: String,
    /// What it may attest.
    pub accreditations: Vec<Accreditation>,
    /// Its first keys, ascending by public key; one at least for KEYS and another for RECOVERY.
    pub keys: Vec<InstitutionKey>,
    /// Validity of its records in years where a record says nothing; 0: for ever.
    pub default_validity_years: u32,
}

/// Adds a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAddition {
    /// The owner.
    pub institution_id: InstitutionId,
    /// The key.
    pub key: InstitutionKey,
}

/// Retires a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRetirement {
    /// Leaf hash of the key's last status entry.
    pub after: Digest,
    /// The key.
    pub kid: Kid,
}

/// Reports a key as compromised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCompromise {
    /// The key.
    pub kid: Kid,
    /// The first index whose use of it is in doubt.
    pub suspect_from_index: u64,
}
