//! The product's own client over a world, and records as it takes them.

use crate::institution::{Institution, PURPOSES};
use crate::session::World;
use crate::statement::{today, today_plus, unique};
use credit_client::{
    Client, ClientBuilder, InstitutionSigner, NewAccount, NewRecord, TokenSource, Trust, new_record_id,
    parse_trust,
};
use credit_proto::v1;
use credit_types::{
    AccountIdentity, AccountRef, Amount, AssuranceLevel, CivilDate, Credits, DocumentKind, FrameworkId,
    HourKind, InstitutionId, KeyPurpose, Level, Minutes, PassState, RecordDetails, RecordKind, SchemeId,
    StudentNumber, Text,
};

/// What a purpose is called among the nouns.
const NOUNS: [KeyPurpose; 7] = [
    KeyPurpose::Records,
    KeyPurpose::Status,
    KeyPurpose::Decisions,
    KeyPurpose::Registry,
    KeyPurpose::Keys,
    KeyPurpose::Recovery,
    KeyPurpose::Tokens,
];

/// An institution's id as a noun.
pub(crate) fn institution_id(institution: &Institution) -> InstitutionId {
    InstitutionId::new(institution.id.clone()).expect("an id")
}

/// The trust file of a world.
pub(crate) fn trust(world: &World) -> Trust {
    let text = std::fs::read_to_string(world.bank.home().join("trust.toml")).expect("a trust file");
    parse_trust(&text).expect("a trust file")
}

/// A client that signs and calls as an institution.
pub(crate) fn client_of(world: &World, institution: &Institution) -> Client {
    let signer = PURPOSES
        .iter()
        .zip(NOUNS)
        .fold(InstitutionSigner::new(institution_id(institution)), |signer, (purpose, noun)| {
            signer.with_key([noun], institution.key(*purpose))
        });
    ClientBuilder::new(world.bank.endpoint(), trust(world)).signer(signer).build().expect("a client")
}

/// A client that calls with a token.
pub(crate) fn client_with(world: &World, token: String) -> Client {
    let builder = ClientBuilder::new(world.bank.endpoint(), trust(world));
    builder.token(TokenSource::Bearer(token)).build().expect("a client")
}

/// A date of the bank's own calendar as a noun.
pub(crate) fn civil(date: &v1::CivilDate) -> CivilDate {
    CivilDate::new(date.year, date.month, date.day).expect("a date")
}

/// A record of a kind with 2.5 credits of `T_XF`, awarded today.
pub(crate) fn new_record(kind: RecordKind, account_ref: AccountRef) -> NewRecord {
    NewRecord {
        account_ref,
        record_id: new_record_id().expect("random bytes"),
        kind,
        amount: Some(amount(2_500)),
        minutes: Some(Minutes { hour_kind: HourKind::Contact, minutes: 1_800, class_hour_minutes: 45 }),
        level: Some(Level { framework: FrameworkId::new("test.nqf").expect("an id"), tenths: 50 }),
        subject_code: "0411".to_owned(),
        occupation_code: String::new(),
        awarded_on: civil(&today()),
        valid_until: None,
        credit_eligible: true,
        details: details(),
    }
}

/// An amount of `T_XF`.
pub(crate) fn amount(milli: i64) -> Amount {
    Amount {
        scheme: SchemeId::new("T_XF").expect("an id"),
        credits: Credits::from_milli(milli).expect("an amount"),
    }
}

fn details() -> RecordDetails {
    RecordDetails {
        catalogue_ref: "T-0411@1".to_owned(),
        title: Text { zh: "基础会计".to_owned(), en: "Basic accounting".to_owned() },
        score_milli: Some(86_500),
        score_scale_id: "cn.pct100".to_owned(),
        pass_state: Some(PassState::Passed),
        start_on: Some(civil(&today_plus(-120))),
        end_on: Some(civil(&today_plus(-14))),
        certificate_no: unique("T-"),
        ..RecordDetails::default()
    }
}

/// A person whom nobody knows yet, with a number at an institution if one is given.
pub(crate) fn new_account(student: Option<(&Institution, &str)>) -> NewAccount {
    let number = |(institution, number): (&Institution, &str)| StudentNumber {
        institution_id: institution_id(institution),
        number: number.to_owned(),
    };
    let text = unique("");
    let tail = text.len().saturating_sub(24);
    NewAccount {
        assurance: AssuranceLevel::Document,
        identity: AccountIdentity {
            name: "周启明".to_owned(),
            document_kind: Some(DocumentKind::Passport),
            document_country: "CHN".to_owned(),
            document_number: format!("Q{}", &text[tail..]),
            student_numbers: student.map(number).into_iter().collect(),
            ..AccountIdentity::default()
        },
    }
}
