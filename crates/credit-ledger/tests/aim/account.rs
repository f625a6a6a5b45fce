//! Accounts: opened, suspended, reinstated, closed.

use super::Aim;
use credit_types::{
    AccountAction, AccountOpening, AccountRef, AccountStatus, AccountStatusChange, AliasAsserted, AliasCheck,
    AliasKind, AssuranceLevel, Command, InstitutionId, KeyPurpose, OpeningDraw, Reason, Role, StatusReason,
};

const ACTIONS: [AccountAction; 3] = [AccountAction::Suspend, AccountAction::Reinstate, AccountAction::Close];
const ASSURANCES: [AssuranceLevel; 4] =
    [AssuranceLevel::None, AssuranceLevel::Phone, AssuranceLevel::Document, AssuranceLevel::DocumentFace];

impl Aim<'_> {
    pub(super) fn opening(&mut self) -> Command {
        let draw = self.new_draw();
        self.open(draw)
    }

    fn open(&mut self, draw: OpeningDraw) -> Command {
        let registrar = self.one_with(Role::Registrar);
        let body = self.new_opening();
        Command::OpenAccount(self.by_institution(&registrar, KeyPurpose::Registry, body), draw)
    }

    pub(super) fn new_opening(&mut self) -> AccountOpening {
        AccountOpening { assurance: *self.draw.pick(&ASSURANCES), identity_commitment: self.digest() }
    }

    pub(super) fn new_draw(&mut self) -> OpeningDraw {
        let account_ref = AccountRef(self.id());
        // Whoever is not identified by a document may show one all the same.
        let numbers = self.draw.below(3);
        let kinds = [AliasKind::AccountNumber, AliasKind::Document].into_iter();
        let kinds = kinds.chain(std::iter::repeat_n(AliasKind::StudentNumber, numbers));
        let aliases = kinds
            .map(|kind| AliasCheck { asserted: AliasAsserted { kind, pepper_version: 1 }, taken: false });
        OpeningDraw { account_ref, aliases: aliases.collect() }
    }

    /// A change by whoever may do it.
    fn change(&mut self, account_ref: AccountRef, action: AccountAction) -> Command {
        let by_order = action == AccountAction::Suspend && self.draw.chance(30);
        let regulators: Vec<InstitutionId> = self.with_role(Role::Regulator);
        let last = self.model.account(account_ref).map(|account| account.last);
        let mut body = AccountStatusChange {
            after: self.after(last),
            account_ref,
            action,
            reason: StatusReason::Investigation,
            order_ref: String::new(),
            explanation_commitment: None,
        };
        let (signer, purpose) = match self.draw.any(&regulators) {
            Some(regulator) if by_order => {
                body.order_ref = String::from(if self.draw.chance(85) { "order 7" } else { "" });
                let both = self.model.has_role(&regulator, Role::Registrar);
                (regulator, if both { KeyPurpose::Registry } else { KeyPurpose::Status })
            }
            Some(_) | None => (self.one_with(Role::Registrar), KeyPurpose::Registry),
        };
        Command::ChangeAccountStatus(self.by_institution(&signer, purpose, body))
    }

    pub(super) fn account_change(&mut self) -> Command {
        let account_ref = self.one_account();
        let status = self.model.account(account_ref).map_or(AccountStatus::Active, |account| account.status);
        let action = match status {
            _ if self.draw.chance(10) => AccountAction::Close,
            AccountStatus::Active => AccountAction::Suspend,
            AccountStatus::Suspended | AccountStatus::Closed => AccountAction::Reinstate,
        };
        self.change(account_ref, action)
    }

    pub(super) fn aimed_at_account(&mut self, reason: Reason) -> Option<Command> {
        match reason {
            Reason::AccountExists => {
                let taken: Vec<AccountRef> = self.model.accounts().collect();
                let mut draw = self.new_draw();
                draw.account_ref = self.draw.any(&taken)?;
                Some(self.open(draw))
            }
            Reason::AliasExists => {
                let mut draw = self.new_draw();
                draw.aliases.iter_mut().for_each(|alias| alias.taken = true);
                Some(self.open(draw))
            }
            Reason::AccountUnknown if self.draw.chance(50) => {
                let unknown = AccountRef(self.id());
                Some(self.change(unknown, AccountAction::Suspend))
            }
            Reason::AccountClosed if self.draw.chance(50) => {
                let closed = self.accounts(&[AccountStatus::Closed]);
                let account_ref = self.draw.any(&closed)?;
                let action = *self.draw.pick(&ACTIONS);
                Some(self.change(account_ref, action))
            }
            Reason::AccountNotActive => {
                let suspended = self.accounts(&[AccountStatus::Suspended]);
                let account_ref = self.draw.any(&suspended)?;
                Some(self.change(account_ref, AccountAction::Suspend))
            }
            Reason::AccountNotSuspended => {
                let active = self.accounts(&[AccountStatus::Active]);
                let account_ref = self.draw.any(&active)?;
                Some(self.change(account_ref, AccountAction::Reinstate))
            }
            // What is left is wrong with a deposit.
            _ => self.aimed_at_record(reason),
        }
    }

    /// A suspension where the account's steps are used up.
    pub(super) fn aimed_at_steps(&mut self) -> Option<Command> {
        let accounts = self.accounts(&[AccountStatus::Active, AccountStatus::Suspended]);
        let worn =
            accounts.into_iter().max_by_key(|r| self.model.account(*r).map_or(0, |account| account.steps))?;
        let action = match self.model.account(worn)?.status {
            AccountStatus::Active => AccountAction::Suspend,
            AccountStatus::Suspended | AccountStatus::Closed => AccountAction::Reinstate,
        };
        Some(self.change(worn, action))
    }
}
