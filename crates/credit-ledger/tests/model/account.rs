//! Accounts.

use super::header::AnchorRule;
use super::{Faults, Model, Now};
use credit_types::limits::{STATUS_STEPS_MAX, STATUS_STEPS_ORDER_MAX};
use credit_types::{
    AccountAction, AccountOpening, AccountStatus, AccountStatusChange, AliasKind, AssuranceLevel, Event,
    Header, KeyPurpose, OpeningDraw, Reason, Role, Signed, SignerId,
};

type Outcome = Result<Vec<Event>, Reason>;

impl Model {
    pub(super) fn open_account(
        &self,
        now: Now,
        statement: &Signed<AccountOpening>,
        draw: &OpeningDraw,
    ) -> Outcome {
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        let signer = self.institution_signer(&statement.header, &mut faults);
        if let SignerId::Institution(id) = &statement.header.signer {
            faults.when(!self.has_role(id, Role::Registrar), Reason::RoleMissing);
            self.one_key(id, &statement.signers, &[], &[KeyPurpose::Registry], &mut faults);
        }
        faults.0.extend(self.opening_faults(&statement.body, draw, &[]));
        faults.or(())?;
        Ok(vec![Event::AccountOpened {
            account_ref: draw.account_ref,
            opening: statement.body,
            registrar: signer.unwrap(),
            kid: statement.signers[0],
            manifest_index: None,
            aliases: draw.aliases.iter().map(|alias| alias.asserted).collect(),
        }])
    }

    /// What an opening itself can have wrong; `pending` events of the same entry come before it.
    pub(super) fn opening_faults(
        &self,
        opening: &AccountOpening,
        draw: &OpeningDraw,
        pending: &[Event],
    ) -> Vec<Reason> {
        let mut faults = Faults::default();
        let just_opened = |event: &Event| matches!(event, Event::AccountOpened { account_ref, .. } if *account_ref == draw.account_ref);
        let exists = self.account(draw.account_ref).is_some() || pending.iter().any(just_opened);
        faults.when(exists, Reason::AccountExists);
        faults.when(draw.aliases.iter().any(|alias| alias.taken), Reason::AliasExists);
        let (mut numbers, mut documents) = (0, 0);
        for alias in &draw.aliases {
            numbers += i32::from(alias.asserted.kind == AliasKind::AccountNumber);
            documents += i32::from(alias.asserted.kind == AliasKind::Document);
        }
        let identified = opening.assurance >= AssuranceLevel::Document;
        let shown = documents == 1 || (documents == 0 && !identified);
        faults.when(numbers != 1 || !shown, Reason::FieldInvalid);
        faults.0
    }

    pub(super) fn change_account(&self, now: Now, statement: &Signed<AccountStatusChange>) -> Outcome {
        let change = &statement.body;
        let mut faults = Faults::default();
        self.header_faults(now, &statement.header, AnchorRule::Required, &mut faults);
        self.institution_signer(&statement.header, &mut faults);
        let mut most = STATUS_STEPS_MAX;
        if let SignerId::Institution(id) = &statement.header.signer {
            let registry_key = |kid: &credit_types::Kid| {
                self.key(*kid).is_some_and(|key| key.purposes.contains(&KeyPurpose::Registry))
            };
            // Who has both roles acts in the one that the key is for.
            let as_registrar =
                self.has_role(id, Role::Registrar) && statement.signers.iter().any(registry_key);
            let by_order = change.action == AccountAction::Suspend
                && !as_registrar
                && self.has_role(id, Role::Regulator);
            if by_order {
                most = STATUS_STEPS_ORDER_MAX;
                self.one_key(id, &statement.signers, &[], &[KeyPurpose::Status], &mut faults);
                faults.when(change.order_ref.is_empty(), Reason::OrderRefMissing);
            } else {
                faults.when(!self.has_role(id, Role::Registrar), Reason::RoleMissing);
                self.one_key(id, &statement.signers, &[], &[KeyPurpose::Registry], &mut faults);
            }
        }
        let Some(account) = self.account(change.account_ref) else {
            faults.add(Reason::AccountUnknown);
            return faults.or(Vec::new());
        };
        faults.when(account.status == AccountStatus::Closed, Reason::AccountClosed);
        let status = match change.action {
            AccountAction::Suspend => {
                faults.when(account.status != AccountStatus::Active, Reason::AccountNotActive);
                faults.when(account.steps >= most, Reason::StatusLimitReached);
                AccountStatus::Suspended
            }
            AccountAction::Reinstate => {
                faults.when(account.status != AccountStatus::Suspended, Reason::AccountNotSuspended);
                AccountStatus::Active
            }
            AccountAction::Close => AccountStatus::Closed,
        };
        let last = self.entry(account.last).unwrap();
        faults.when(last.leaf != change.after, Reason::StaleStatement);
        faults.or(vec![Event::AccountStatusChanged { status, statement: statement.clone() }])
    }

    /// Only an institution that was admitted may sign.
    pub(super) fn institution_signer(
        &self,
        header: &Header,
        faults: &mut Faults,
    ) -> Option<credit_types::InstitutionId> {
        self.known_signer(header, faults);
        faults.when(header.signer.institution().is_none(), Reason::SignerNotAllowed);
        header.signer.institution().cloned()
    }
}
