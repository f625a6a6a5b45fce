//! What protocol 2 has brought, prepared: rule books examined, applications reckoned.

use crate::books;
use crate::failure::Failure;
use crate::prepare::{Preparer, Secrets, Side, opened, signed};
use crate::reckon::{self, ConversionSide};
use crate::side_items::explain;
use credit_ledger::{Row, RowId};
use credit_log::commitment::PARTICULARS_LABEL;
use credit_proto::{Secret as _, Statement, payload_type, v1};
use credit_types::{
    AccountRef, BookCheck, Command, ConversionParticulars, ConversionRequest, Kid, Reason, Rejection,
    RuleBookPublication, Signed,
};

/// The most earlier versions that a new one of a rule book is checked against.
const PREVIOUS_MAX: usize = 4;

impl Preparer {
    /// The command that a verified statement of protocol 2 asks for, and what belongs to it.
    pub(crate) fn of_protocol_2(
        &self,
        statement: Statement,
        signers: Vec<Kid>,
        secrets: Secrets,
    ) -> Result<(Command, Side), Failure> {
        let Secrets { secret, explanation, blob } = secrets;
        Ok(match statement {
            Statement::UpgradeProtocol(header, body) => {
                (Command::UpgradeProtocol(signed(header, body, signers)), Side::None)
            }
            Statement::PublishRuleBook(header, body) => {
                let blob = blob.filter(|blob| !blob.is_empty());
                let blob = blob.ok_or_else(|| Rejection::new(Reason::BookBlobMissing).field("piece"))?;
                let check = self.book_check(&body, &blob)?;
                let statement = Box::new(signed(header, *body, signers));
                (Command::PublishRuleBook(statement, Box::new(check)), Side::Book(blob))
            }
            Statement::ChangeRuleBook(header, body) => {
                (Command::ChangeRuleBook(Box::new(signed(header, *body, signers))), Side::None)
            }
            Statement::GiveAutoApproval(header, body) => {
                (Command::GiveAutoApproval(Box::new(signed(header, *body, signers))), Side::None)
            }
            Statement::RequestConversion(header, body) => {
                self.conversion(signed(header, *body, signers), secret)?
            }
            Statement::DecideConversion(header, body) => {
                let account = self.account_of(body.application)?;
                let side = explain(account, body.opinion_commitment, secret)?;
                (Command::DecideConversion(Box::new(signed(header, *body, signers))), side)
            }
            Statement::StepConversion(header, body) => {
                let account = self.account_of(body.application)?;
                let side = explain(account, body.explanation_commitment, explanation)?;
                (Command::StepConversion(Box::new(signed(header, *body, signers))), side)
            }
            Statement::ReverseAward(header, body) => {
                let account = self.account_of(body.application)?;
                let side = explain(account, body.explanation_commitment, explanation)?;
                (Command::ReverseAward(Box::new(signed(header, *body, signers))), side)
            }
            Statement::Genesis(..)
            | Statement::AdmitInstitution(..)
            | Statement::PublishFramework(..)
            | Statement::AddKey(..)
            | Statement::RetireKey(..)
            | Statement::ReportKeyCompromise(..)
            | Statement::OpenAccount(..)
            | Statement::ChangeAccountStatus(..)
            | Statement::DepositRecord(..)
            | Statement::CorrectRecord(..)
            | Statement::ChangeRecordStatus(..)
            | Statement::OpenBatch(..)
            | Statement::CloseBatch(..)
            | Statement::StartServer(..) => {
                return Err(Failure::Fault("a statement of protocol 1 is prepared elsewhere".to_owned()));
            }
        })
    }

    /// What a rule book that is to be published says of itself, once it was examined.
    fn book_check(&self, body: &RuleBookPublication, blob: &[u8]) -> Result<BookCheck, Failure> {
        let mut previous = Vec::new();
        if let Some(Row::Book(row)) = self.reader.row(&RowId::Book(body.book.book_id.clone()))? {
            // The newest is what a new version follows; all of them at once would not fit. The same one, sent again, is
            // no earlier one.
            let earlier = row.versions.iter().rev();
            let earlier = earlier.filter(|version| version.publication.book.version < body.book.version);
            for version in earlier.take(PREVIOUS_MAX) {
                let program = self.reader.program(version.publication.digest)?;
                previous.push(program.book().clone());
            }
        }
        let today = reckon::civil_date(&self.reader, self.reader.now_us())?;
        books::examine(blob, body.digest, &previous, today)
    }

    /// The account of an application that a statement names.
    fn account_of(&self, application: u64) -> Result<AccountRef, Failure> {
        match self.reader.row(&RowId::Application(application))? {
            Some(Row::Application(row)) => Ok(row.request.account_ref),
            _ => Err(Rejection::new(Reason::ApplicationUnknown).field("application_index").into()),
        }
    }

    /// Reckons an application under the signed head.
    fn conversion(
        &self,
        statement: Signed<ConversionRequest>,
        secret: Option<v1::SecretPart>,
    ) -> Result<(Command, Side), Failure> {
        let body = &statement.body;
        let particulars_secret = match body.particulars_commitment {
            None if secret.is_some() => {
                let problem =
                    "is sent without a commitment in the statement; leave it out, or sign its commitment";
                return Err(Rejection::new(Reason::FieldInvalid).field("particulars").detail(problem).into());
            }
            None => None,
            Some(commitment) => Some(opened(
                "particulars",
                PARTICULARS_LABEL,
                payload_type::CONVERSION_PARTICULARS,
                commitment,
                secret,
            )?),
        };
        let particulars = match &particulars_secret {
            None => ConversionParticulars::default(),
            Some(part) => ConversionParticulars::from_payload(&part.payload)
                .map_err(|invalid| invalid.within("particulars.payload"))?,
        };
        let book = match self.reader.row(&RowId::Book(body.book.book_id.clone()))? {
            Some(Row::Book(row)) => row.version(body.book.version).map(|version| version.publication.digest),
            _ => None,
        };
        let book = match book {
            Some(digest) => Some((self.reader.program(digest)?, digest)),
            None => None,
        };
        let mut side = ConversionSide {
            account_ref: body.account_ref,
            particulars,
            particulars_secret,
            explanation: None,
            book,
            reckoned: None,
        };
        let last = reckon::last_entry(&self.reader, body.account_ref)?;
        let today = reckon::civil_date(&self.reader, self.reader.now_us())?;
        let mut command = Command::RequestConversion(Box::new(statement), Box::new(reckon::nothing()));
        let view = reckon::view_of(&self.reader, &command)?;
        if let Command::RequestConversion(statement, assessment) = &mut command {
            let details = reckon::details_of(&self.reader, &view, &statement.body)?;
            let assessed = reckon::assessed(&view, today, &statement.body, &side, &details)?;
            side.explanation = assessed.explanation;
            side.reckoned = Some((last, today));
            **assessment = assessed.assessment;
        }
        Ok((command, Side::Conversion(Box::new(side))))
    }
}
