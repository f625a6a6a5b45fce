//! Accounts and the people behind them.

use crate::date::CivilDate;
use crate::id::{AccountRef, Digest, InstitutionId};
use crate::statement::StatusReason;
use serde::{Deserialize, Serialize};

/// How well the person behind an account was identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AssuranceLevel {
    /// Not verified.
    None,
    /// By telephone.
    Phone,
    /// By an identity document.
    Document,
    /// By an identity document and the face.
    DocumentFace,
}

/// The status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AccountStatus {
    /// In use.
    Active,
    /// Nothing is applied for or redeemed; deposits are still accepted.
    Suspended,
    /// Read only.
    Closed,
}

/// What is done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AccountAction {
    /// Suspend.
    Suspend,
    /// Reinstate.
    Reinstate,
    /// Close.
    Close,
}

/// Opens an account; who the person is lies behind the commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOpening {
    /// How well the person was identified.
    pub assurance: AssuranceLevel,
    /// Salted commitment to the identity.
    pub identity_commitment: Digest,
}

/// Changes an account's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatusChange {
    /// Leaf hash of the account's last status entry.
    pub after: Digest,
    /// The account.
    pub account_ref: AccountRef,
    /// What is done.
    pub action: AccountAction,
    /// Why.
    pub reason: StatusReason,
    /// The order's reference; empty if there is none.
    pub order_ref: String,
    /// Salted commitment to the explanation.
    pub explanation_commitment: Option<Digest>,
}

/// The kind of an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AliasKind {
    /// The bank's account number.
    AccountNumber,
    /// An identity document.
    Document,
    /// A student number, scoped to an institution.
    StudentNumber,
}

/// The bank's assertion that an alias was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasAsserted {
    /// Its kind.
    pub kind: AliasKind,
    /// Version of the pepper it was computed under, from 1.
    pub pepper_version: u32,
}

/// The kind of an identity document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DocumentKind {
    /// Resident identity card.
    ResidentId,
    /// Passport.
    Passport,
    /// Residence permit of Hong Kong, Macao and Taiwan residents.
    ResidencePermit,
    /// Permanent residence card.
    PermanentResidence,
}

/// A person's number at an institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudentNumber {
    /// The institution.
    pub institution_id: InstitutionId,
    /// The number.
    pub number: String,
}

/// Who the person is: sealed, erasable, never in an entry. Empty strings stand for what is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountIdentity {
    /// The name.
    pub name: String,
    /// The document's kind; with it country and number are set.
    pub document_kind: Option<DocumentKind>,
    /// ISO 3166-1 alpha-3 code of the issuing country.
    pub document_country: String,
    /// The document's number.
    pub document_number: String,
    /// The date of birth.
    pub birth_date: Option<CivilDate>,
    /// The telephone number, E.164.
    pub phone: String,
    /// Administrative division.
    pub district_code: String,
    /// The employer's unified social credit identifier.
    pub employer_usci: String,
    /// The person's numbers at institutions, ascending by institution.
    pub student_numbers: Vec<StudentNumber>,
}
