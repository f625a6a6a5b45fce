//! Parts of applications as the bank tells them: proposals, moves, grants, statuses.

use credit_proto::v1;
use credit_types::{
    ApplicationStatus, BookName, CivilDate, Consumption, ConvertedPlace, Credits, Granted, InstitutionId,
    ProposedItem, RecordId, RecordMoved, RecordName, SchemeId,
};

use crate::error::ClientError;
use crate::posting::postings;
use crate::view::Answers;

impl Answers {
    /// An id of a rule book.
    pub(crate) fn book_name(self, field: &str, text: String) -> Result<BookName, ClientError> {
        self.id(field, BookName::new(text))
    }

    /// The same, where it may be absent.
    fn optional_book_name(self, field: &str, text: String) -> Result<Option<BookName>, ClientError> {
        if text.is_empty() { Ok(None) } else { self.book_name(field, text).map(Some) }
    }

    /// Milli-credits that may be absent.
    fn optional_credits(self, milli: i64) -> Result<Option<Credits>, ClientError> {
        if milli == 0 {
            return Ok(None);
        }
        let credits = Credits::from_milli(milli);
        credits.map(Some).map_err(|error| self.wrong(format!("credits_milli {error}")))
    }

    /// A day that may be absent.
    pub(crate) fn optional_day(
        self,
        field: &str,
        day: Option<v1::CivilDate>,
    ) -> Result<Option<CivilDate>, ClientError> {
        let read = |v1::CivilDate { year, month, day }| CivilDate::new(year, month, day);
        day.map(read).transpose().map_err(|error| self.wrong(format!("{field} {error}")))
    }

    /// A record by its issuer and the issuer's id.
    pub(crate) fn record_name(self, wire: v1::RecordName) -> Result<RecordName, ClientError> {
        let v1::RecordName { issuer_id, record_id } = wire;
        Ok(RecordName {
            issuer: self.id("issuer_id", InstitutionId::new(issuer_id))?,
            record_id: self.id("record_id", RecordId::from_uuid(&record_id))?,
        })
    }

    /// An item of a proposal.
    pub(crate) fn item(self, wire: v1::ProposedItem) -> Result<ProposedItem, ClientError> {
        let v1::ProposedItem {
            rule,
            place_kind,
            place,
            credit_scheme,
            credits_milli,
            sources,
            consumption,
            award_level,
            rule_kind,
            programme,
        } = wire;
        let place = self.book_name("place", place)?;
        Ok(ProposedItem {
            rule: self.book_name("rule", rule)?,
            rule_kind: self.optional_book_name("rule_kind", rule_kind)?,
            place: self.some("place_kind", converted_place(place_kind, place))?,
            scheme: self.id("credit_scheme", SchemeId::new(credit_scheme))?,
            credits: self.optional_credits(credits_milli)?,
            sources,
            consumption: self.some("consumption", self::consumption(consumption))?,
            programme: self.optional_book_name("programme", programme)?,
            award_level: self.optional_book_name("award_level", award_level)?,
        })
    }

    /// The items of a proposal.
    pub(crate) fn items(self, wires: Vec<v1::ProposedItem>) -> Result<Vec<ProposedItem>, ClientError> {
        wires.into_iter().map(|wire| self.item(wire)).collect()
    }

    /// The records whose credit an event moves.
    pub(crate) fn moved(self, wires: Vec<v1::RecordMoved>) -> Result<Vec<RecordMoved>, ClientError> {
        let one = |v1::RecordMoved { record, postings: moved }| {
            let record = self.record_name(self.some("record", record)?)?;
            Ok(RecordMoved { record, postings: postings(self, moved)? })
        };
        wires.into_iter().map(one).collect()
    }

    /// What came into being, or is taken back.
    pub(crate) fn granted(self, wires: Vec<v1::Granted>) -> Result<Vec<Granted>, ClientError> {
        let one = |v1::Granted { record_id, position, credits_milli }| {
            Ok(Granted {
                record_id: self.id("record_id", RecordId::from_uuid(&record_id))?,
                position,
                credits: self.optional_credits(credits_milli)?,
            })
        };
        wires.into_iter().map(one).collect()
    }

    /// Where an application stands.
    pub(crate) fn application_status(self, number: i32) -> Result<ApplicationStatus, ClientError> {
        self.some("status", application_status(number))
    }
}

fn converted_place(number: i32, name: BookName) -> Option<ConvertedPlace> {
    match v1::PlaceKind::try_from(number).ok()? {
        v1::PlaceKind::Unspecified => None,
        v1::PlaceKind::Course => Some(ConvertedPlace::Course(name)),
        v1::PlaceKind::Requirement => Some(ConvertedPlace::Requirement(name)),
        v1::PlaceKind::Standard => Some(ConvertedPlace::Standard(name)),
    }
}

fn consumption(number: i32) -> Option<Consumption> {
    match v1::Consumption::try_from(number).ok()? {
        v1::Consumption::Unspecified => None,
        v1::Consumption::Global => Some(Consumption::Global),
        v1::Consumption::OnceForAllDegrees => Some(Consumption::OnceForAllDegrees),
        v1::Consumption::PerProgramme => Some(Consumption::PerProgramme),
        v1::Consumption::PerAwardLevel => Some(Consumption::PerAwardLevel),
        v1::Consumption::None => Some(Consumption::None),
    }
}

fn application_status(number: i32) -> Option<ApplicationStatus> {
    match v1::ApplicationStatus::try_from(number).ok()? {
        v1::ApplicationStatus::Unspecified => None,
        v1::ApplicationStatus::UnderReview => Some(ApplicationStatus::UnderReview),
        v1::ApplicationStatus::InfoRequested => Some(ApplicationStatus::InfoRequested),
        v1::ApplicationStatus::Posted => Some(ApplicationStatus::Posted),
        v1::ApplicationStatus::Provisional => Some(ApplicationStatus::Provisional),
        v1::ApplicationStatus::Rejected => Some(ApplicationStatus::Rejected),
        v1::ApplicationStatus::Appealed => Some(ApplicationStatus::Appealed),
        v1::ApplicationStatus::Withdrawn => Some(ApplicationStatus::Withdrawn),
        v1::ApplicationStatus::Lapsed => Some(ApplicationStatus::Lapsed),
        v1::ApplicationStatus::Rescinded => Some(ApplicationStatus::Rescinded),
        v1::ApplicationStatus::Reversed => Some(ApplicationStatus::Reversed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_an_enum_has_its_noun_and_none_else() {
        let known = |read: fn(i32) -> bool| (-1..20).filter(|number| read(*number)).collect::<Vec<i32>>();
        let name = || BookName::new("a".to_owned()).unwrap();
        assert_eq!(known(|n| application_status(n).is_some()), (1..=10).collect::<Vec<_>>());
        assert_eq!(known(|n| consumption(n).is_some()), [1, 2, 3, 4, 5]);
        assert_eq!((-1..9).filter(|n| converted_place(*n, name()).is_some()).count(), 3);
    }
}
