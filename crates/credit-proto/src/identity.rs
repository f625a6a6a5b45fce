//! Who the person behind an account is: a secret part.

use credit_types::limits::{
    COUNTRY_CODE_BYTES, DOCUMENT_NUMBER_BYTES_MAX, PERSON_NAME_BYTES_MAX, PHONE_BYTES_MAX,
    REFERENCE_BYTES_MAX, STUDENT_NUMBERS_MAX,
};
use credit_types::{AccountIdentity, InstitutionId, StudentNumber};

use crate::enumeration::optional_number;
use crate::field::{
    ascending, ascii, coded, count, date_wire, ensure, named, optional_coded, optional_date,
    optional_enumeration, words,
};
use crate::invalid::{At as _, InvalidField};
use crate::payload_type;
use crate::reading::Stage;
use crate::registry::{DISTRICT_FORM, USCI_FORM, is_district, is_usci};
use crate::statement::Secret;
use crate::v1;

impl Secret for AccountIdentity {
    const TYPE: &'static str = payload_type::ACCOUNT_IDENTITY;
    type Wire = v1::AccountIdentity;

    fn to_wire(&self) -> v1::AccountIdentity {
        v1::AccountIdentity {
            name: self.name.clone(),
            document_kind: optional_number(self.document_kind),
            document_country: self.document_country.clone(),
            document_number: self.document_number.clone(),
            birth_date: self.birth_date.map(date_wire),
            phone: self.phone.clone(),
            district_code: self.district_code.clone(),
            employer_usci: self.employer_usci.clone(),
            student_numbers: self.student_numbers.iter().map(student_number_wire).collect(),
        }
    }

    fn from_wire(wire: v1::AccountIdentity, stage: Stage) -> Result<Self, InvalidField> {
        let v1::AccountIdentity {
            name,
            document_kind,
            document_country,
            document_number,
            birth_date,
            phone,
            district_code,
            employer_usci,
            student_numbers: wires,
        } = wire;
        count("student_numbers", &wires, 0..=STUDENT_NUMBERS_MAX)?;
        let mut student_numbers = Vec::with_capacity(wires.len());
        for (position, wire) in wires.into_iter().enumerate() {
            student_numbers.push(student_number(wire).at_element("student_numbers", position)?);
        }
        let institutions: Vec<&InstitutionId> =
            student_numbers.iter().map(|number| &number.institution_id).collect();
        ascending("student_numbers", &institutions)?;
        let document_kind = optional_enumeration("document_kind", document_kind)?;
        if document_kind.is_none() {
            let problem = "must be absent without document_kind: set both or neither";
            ensure(document_country.is_empty(), "document_country", problem)?;
            ensure(document_number.is_empty(), "document_number", problem)?;
        }
        let least = usize::from(document_kind.is_some());
        let country = |text: &str| is_country(text) || (text.is_empty() && document_kind.is_none());
        Ok(Self {
            name: words("name", name, PERSON_NAME_BYTES_MAX, stage)?,
            document_kind,
            document_country: coded("document_country", document_country, COUNTRY_FORM, country)?,
            document_number: ascii("document_number", document_number, least..=DOCUMENT_NUMBER_BYTES_MAX)?,
            birth_date: optional_date("birth_date", birth_date)?,
            phone: optional_coded("phone", phone, PHONE_FORM, is_phone)?,
            district_code: optional_coded("district_code", district_code, DISTRICT_FORM, is_district)?,
            employer_usci: optional_coded("employer_usci", employer_usci, USCI_FORM, is_usci)?,
            student_numbers,
        })
    }
}

const COUNTRY_FORM: &str = "3 capital letters (ISO 3166-1 alpha-3)";

fn is_country(text: &str) -> bool {
    text.len() == COUNTRY_CODE_BYTES && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

const PHONE_FORM: &str = "a plus and 1 to 15 digits (E.164)";

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    text.len() <= PHONE_BYTES_MAX && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn student_number(wire: v1::StudentNumber) -> Result<StudentNumber, InvalidField> {
    let v1::StudentNumber { institution_id, number } = wire;
    Ok(StudentNumber {
        institution_id: named("institution_id", institution_id, InstitutionId::new)?,
        number: ascii("number", number, 1..=REFERENCE_BYTES_MAX)?,
    })
}

fn student_number_wire(number: &StudentNumber) -> v1::StudentNumber {
    let StudentNumber { institution_id, number } = number;
    v1::StudentNumber { institution_id: institution_id.as_str().to_owned(), number: number.clone() }
}
