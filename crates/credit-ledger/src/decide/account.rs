//! Accounts.

use crate::decide::{Judgement, application};
use crate::evidence::{self, AnchorRule};
use crate::row::{AccountRow, InstitutionRow};
use credit_types::genesis::PROTOCOL_CONVERSIONS;
use credit_types::limits::{STATUS_STEPS_MAX, STATUS_STEPS_ORDER_MAX};
use credit_types::{
    AccountAction, AccountOpening, AccountStatus, AccountStatusChange, AliasKind, AssuranceLevel, Event,
    InstitutionId, KeyPurpose, Kid, OpeningDraw, Reason, Rejection, Role, Signed, SignerId,
};

/// An account that is to be opened.
pub(crate) struct Opening<'a> {
    /// What was signed.
    pub(crate) opening: &'a AccountOpening,
    /// What the bank drew and asserts.
    pub(crate) draw: &'a OpeningDraw,
    /// The registrar.
    pub(crate) registrar: &'a InstitutionId,
    /// The key that signed the opening or its manifest.
    pub(crate) kid: Kid,
    /// Index of the manifest, for a leaf of a batch.
    pub(crate) manifest_index: Option<u64>,
}

impl Opening<'_> {
    /// Adds what speaks against the opening itself, whoever signed it.
    pub(crate) fn guard(&self, judgement: &mut Judgement) {
        if let Some(row) = judgement.view.account(self.draw.account_ref) {
            judgement.refuse(Rejection::new(Reason::AccountExists).index(row.opened_index));
        }
        let taken = self.draw.aliases.iter().any(|alias| alias.taken);
        judgement.require(!taken, || Reason::AliasExists);
        self.known_by(judgement);
    }

    /// That the aliases are those of the assurance: one person has one account from a document on, and whoever leaves
    /// the document out doesn't say so.
    fn known_by(&self, judgement: &mut Judgement) {
        let of = |kind| self.draw.aliases.iter().filter(|alias| alias.asserted.kind == kind).count();
        let documents = match self.opening.assurance {
            AssuranceLevel::None | AssuranceLevel::Phone => of(AliasKind::Document) <= 1,
            AssuranceLevel::Document | AssuranceLevel::DocumentFace => of(AliasKind::Document) == 1,
        };
        let rejection = || Rejection::new(Reason::FieldInvalid).field("assurance");
        judgement.require(documents, || {
            rejection().detail("needs the number of an identity document from DOCUMENT on")
        });
        let numbered = of(AliasKind::AccountNumber) == 1;
        let rejection = || Rejection::new(Reason::FieldInvalid).field("aliases");
        judgement.require(numbered, || rejection().detail("must have one account number"));
    }

    /// What happened once nothing speaks against it.
    pub(crate) fn event(&self) -> Event {
        Event::AccountOpened {
            account_ref: self.draw.account_ref,
            opening: *self.opening,
            registrar: self.registrar.clone(),
            kid: self.kid,
            manifest_index: self.manifest_index,
            aliases: self.draw.aliases.iter().map(|alias| alias.asserted).collect(),
        }
    }
}

/// A registrar opens an account.
pub(crate) fn open(
    mut judgement: Judgement,
    statement: &Signed<AccountOpening>,
    draw: &OpeningDraw,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    if let Some(row) = evidence::institution(&mut judgement, &header.signer) {
        evidence::role(&mut judgement, row, Role::Registrar);
    }
    let mut event = None;
    if let SignerId::Institution(registrar) = &header.signer {
        evidence::one_key(&mut judgement, registrar, signers, &[KeyPurpose::Registry], &[]);
        if let Some(kid) = signers.first().copied() {
            let opening = Opening { opening: body, draw, registrar, kid, manifest_index: None };
            opening.guard(&mut judgement);
            event = Some(opening.event());
        }
    }
    judgement.end()?;
    Ok(event.into_iter().collect())
}

/// As what an institution signs a change of status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capacity {
    Registrar,
    Regulator,
}

/// A regulator may only suspend. An institution with both roles acts in the one that its key is for.
fn capacity_of(
    judgement: &Judgement,
    row: &InstitutionRow,
    action: AccountAction,
    signers: &[Kid],
) -> Option<Capacity> {
    let roles = &row.admission.roles;
    let registrar = roles.contains(&Role::Registrar);
    let regulator = roles.contains(&Role::Regulator) && action == AccountAction::Suspend;
    match (registrar, regulator) {
        (true, true) => {
            let mut keys = signers.iter().filter_map(|kid| judgement.view.key(*kid));
            let registry = keys.any(|key| key.key.purposes.contains(&KeyPurpose::Registry));
            Some(if registry { Capacity::Registrar } else { Capacity::Regulator })
        }
        (true, false) => Some(Capacity::Registrar),
        (false, true) => Some(Capacity::Regulator),
        (false, false) => None,
    }
}

/// An account is suspended, reinstated or closed.
pub(crate) fn change_status(
    mut judgement: Judgement,
    statement: &Signed<AccountStatusChange>,
) -> Result<Vec<Event>, Rejection> {
    let Signed { header, body, signers } = statement;
    evidence::header(&mut judgement, header, AnchorRule::Required);
    let mut capacity = None;
    if let Some(row) = evidence::institution(&mut judgement, &header.signer) {
        capacity = capacity_of(&judgement, row, body.action, signers);
        judgement.require(capacity.is_some(), || Reason::RoleMissing);
        let purpose = match capacity {
            Some(Capacity::Regulator) => KeyPurpose::Status,
            Some(Capacity::Registrar) | None => KeyPurpose::Registry,
        };
        evidence::one_key(&mut judgement, &row.admission.institution_id, signers, &[purpose], &[]);
        let ordered = capacity != Some(Capacity::Regulator) || !body.order_ref.is_empty();
        judgement.require(ordered, || Rejection::new(Reason::OrderRefMissing).field("order_ref"));
    }
    match judgement.view.account(body.account_ref) {
        None => judgement.refuse(Rejection::new(Reason::AccountUnknown).field("account_ref")),
        Some(row) => may_change(&mut judgement, row, body, capacity),
    }
    if body.action == AccountAction::Close && judgement.context.protocol >= PROTOCOL_CONVERSIONS {
        application::none_open(&mut judgement, body.account_ref);
    }
    judgement.end()?;
    let status = match body.action {
        AccountAction::Suspend => AccountStatus::Suspended,
        AccountAction::Reinstate => AccountStatus::Active,
        AccountAction::Close => AccountStatus::Closed,
    };
    Ok(vec![Event::AccountStatusChanged { status, statement: statement.clone() }])
}

fn may_change(
    judgement: &mut Judgement,
    row: &AccountRow,
    change: &AccountStatusChange,
    capacity: Option<Capacity>,
) {
    let last = row.last_status_index;
    let refused = match (row.status, change.action) {
        (AccountStatus::Closed, _) => Some(Reason::AccountClosed),
        (AccountStatus::Suspended, AccountAction::Suspend) => Some(Reason::AccountNotActive),
        (AccountStatus::Active, AccountAction::Reinstate) => Some(Reason::AccountNotSuspended),
        (AccountStatus::Active, AccountAction::Suspend | AccountAction::Close)
        | (AccountStatus::Suspended, AccountAction::Reinstate | AccountAction::Close) => None,
    };
    if let Some(reason) = refused {
        judgement.refuse(Rejection::new(reason).index(last));
    }
    let fresh = judgement.view.leaf(last) == Some(change.after);
    judgement.require(fresh, || Rejection::new(Reason::StaleStatement).field("after").index(last));
    // What was suspended can always be lifted, and closing stays possible for ever.
    let most = match capacity {
        Some(Capacity::Regulator) => STATUS_STEPS_ORDER_MAX,
        Some(Capacity::Registrar) | None => STATUS_STEPS_MAX,
    };
    let room = row.steps.len() < most || change.action != AccountAction::Suspend;
    judgement.require(room, || Reason::StatusLimitReached);
}
