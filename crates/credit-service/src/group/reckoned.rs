//! An application is reckoned against the group that it is decided in.

use super::Group;
use crate::failure::{Failure, fault};
use crate::prepare::{Prepared, Side};
use crate::reckon::assessed;
use crate::vault;
use credit_ledger::{RecordRow, Row, RowId};
use credit_proto::{Secret as _, Stage};
use credit_types::{CivilDate, Command, ConversionRequest, RecordDetails, Subject};

impl Group<'_> {
    /// Reckons an application again where its account has changed since it was prepared, or another day has begun.
    pub(super) fn reckon(&mut self, prepared: &mut Prepared) -> Result<(), Failure> {
        let Command::RequestConversion(statement, _) = &prepared.command else { return Ok(()) };
        let request = statement.body.clone();
        let Some(Side::Conversion(side)) = prepared.sides.first_mut() else {
            return Err(Failure::Fault("an application came without what it rests on".to_owned()));
        };
        let subject = Subject::Account(request.account_ref);
        self.load_rows(vec![RowId::Subject(subject.clone())])?;
        let last = self.view.subject(&subject).map(|row| row.last_index);
        let today = CivilDate::at(self.recorded_at_us, self.shared.genesis.civil_offset_minutes);
        let today = today.map_err(fault("date an entry"))?;
        if side.reckoned != Some((last, today)) {
            let details = self.details(&request)?;
            let assessed = assessed(&self.view, today, &request, side, &details)?;
            side.explanation = assessed.explanation;
            side.reckoned = Some((last, today));
            prepared.items = None;
            if let Command::RequestConversion(_, assessment) = &mut prepared.command {
                **assessment = assessed.assessment;
            }
        }
        // What is proposed names rows of its own.
        self.load(&prepared.command)
    }

    /// The details of a request's records, those of this group too.
    fn details(&self, request: &ConversionRequest) -> Result<Vec<Option<RecordDetails>>, Failure> {
        let mut all = Vec::with_capacity(request.records.len());
        for name in &request.records {
            let row = match self.view.get(&RowId::Record(name.issuer.clone(), name.record_id)) {
                Some(Row::Record(row)) if row.facts.account_ref == request.account_ref => row,
                _ => {
                    all.push(None);
                    continue;
                }
            };
            let in_group = row.deposited_index.checked_sub(self.base.size());
            all.push(match in_group {
                _ if row.application.is_some() => None,
                None => self.reader.details(row)?,
                Some(at) => self.unwritten_details(row, usize::try_from(at).unwrap_or(usize::MAX))?,
            });
        }
        Ok(all)
    }

    /// The details of a record whose entry stands at a place in this group.
    fn unwritten_details(&self, row: &RecordRow, at: usize) -> Result<Option<RecordDetails>, Failure> {
        let account = row.facts.account_ref;
        let new = self.new_keys.iter().find(|(of, _)| *of == account).map(|(_, key)| key.clone());
        let key = new.or_else(|| self.shared.keyring.data_key(account)).ok_or(Failure::DataKeyMissing)?;
        let items = self.batch.bodies.get(at).map(|body| body.items.as_slice()).unwrap_or_default();
        let opened = items.iter().find_map(|(id, sealed)| vault::open_item(&key, id, sealed).ok());
        let wanted = row.facts.details_commitment;
        let part = opened.into_iter().flatten().find(|part| part.commitment == wanted);
        let part = part.ok_or_else(|| Failure::Fault("a record's item is missing".to_owned()))?;
        let details = RecordDetails::read(&part.payload, Stage::Replay);
        details.map(Some).map_err(|_| Failure::Fault("decode details".to_owned()))
    }
}
