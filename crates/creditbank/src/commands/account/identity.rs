//! Who a person is, read from a small file: never from the command line, which others on the machine can see.

use crate::ending::{CommandError, unreadable};
use crate::language::Phrase;
use credit_types::{AccountIdentity, CivilDate, DocumentKind, InstitutionId, StudentNumber};
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zeroize::Zeroizing;

/// The most bytes of an identity file.
pub(crate) const IDENTITY_BYTES_MAX: u64 = 16_384;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct IdentityForm {
    name: String,
    document_kind: Option<DocumentKindForm>,
    document_country: String,
    document_number: String,
    birth_date: Option<String>,
    phone: String,
    district_code: String,
    employer_usci: String,
    student_number: Vec<StudentNumberForm>,
}

#[derive(Deserialize, Clone, Copy)]
enum DocumentKindForm {
    #[serde(rename = "RESIDENT_ID")]
    ResidentId,
    #[serde(rename = "PASSPORT")]
    Passport,
    #[serde(rename = "RESIDENCE_PERMIT")]
    ResidencePermit,
    #[serde(rename = "PERMANENT_RESIDENCE")]
    PermanentResidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StudentNumberForm {
    institution_id: String,
    number: String,
}

/// Reads an identity; bounds are checked where it is committed to.
pub(super) fn read(path: &Path) -> Result<AccountIdentity, CommandError> {
    let mut text = Zeroizing::new(String::new());
    let most = IDENTITY_BYTES_MAX.saturating_add(1);
    if path == Path::new("-") {
        std::io::stdin().take(most).read_to_string(&mut text).map_err(unreadable(path))?;
    } else {
        let file = File::open(path).map_err(unreadable(path))?;
        file.take(most).read_to_string(&mut text).map_err(unreadable(path))?;
    }
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > IDENTITY_BYTES_MAX {
        return Err(CommandError::usage(Phrase::FileTooLong, &[&path.display(), &IDENTITY_BYTES_MAX]));
    }
    parse(&text).map_err(|problem| {
        CommandError::usage(Phrase::IdentityUnusable, &[&path.display()]).because(anyhow::anyhow!(problem))
    })
}

/// The message of a parser would repeat the line, which is about a person; only the place is kept.
fn parse(text: &str) -> Result<AccountIdentity, String> {
    let form: IdentityForm = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count());
        format!("line {}", line.unwrap_or(0).saturating_add(1))
    })?;
    let IdentityForm {
        name,
        document_kind,
        document_country,
        document_number,
        birth_date,
        phone,
        district_code,
        employer_usci,
        student_number,
    } = form;
    let birth_date = birth_date.map(|date| date.parse::<CivilDate>()).transpose();
    let mut student_numbers = Vec::with_capacity(student_number.len());
    for StudentNumberForm { institution_id, number } in student_number {
        let institution_id =
            InstitutionId::new(institution_id).map_err(|error| format!("institution_id {error}"))?;
        student_numbers.push(StudentNumber { institution_id, number });
    }
    student_numbers.sort_by(|one, other| one.institution_id.cmp(&other.institution_id));
    Ok(AccountIdentity {
        name,
        document_kind: document_kind.map(document),
        document_country,
        document_number,
        birth_date: birth_date.map_err(|error| format!("birth_date {error}"))?,
        phone,
        district_code,
        employer_usci,
        student_numbers,
    })
}

fn document(form: DocumentKindForm) -> DocumentKind {
    match form {
        DocumentKindForm::ResidentId => DocumentKind::ResidentId,
        DocumentKindForm::Passport => DocumentKind::Passport,
        DocumentKindForm::ResidencePermit => DocumentKind::ResidencePermit,
        DocumentKindForm::PermanentResidence => DocumentKind::PermanentResidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_with_its_student_numbers_in_order() {
        let text = "name = '林晓云'\nbirth_date = '2001-02-03'\ndocument_kind = 'PASSPORT'\n\
                    [[student_number]]\ninstitution_id = 'cn.b'\nnumber = '2'\n\
                    [[student_number]]\ninstitution_id = 'cn.a'\nnumber = '1'\n";
        let identity = parse(text).unwrap();
        assert_eq!(
            (identity.name.as_str(), identity.document_kind),
            ("林晓云", Some(DocumentKind::Passport))
        );
        let numbers: Vec<&str> =
            identity.student_numbers.iter().map(|number| number.number.as_str()).collect();
        assert_eq!(numbers, ["1", "2"]);
        assert_eq!(parse("").unwrap(), AccountIdentity::default());
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        for text in ["name = '林'\nphone = secret", "name = '林'\nsecret = 1"] {
            assert_eq!(parse(text).unwrap_err(), "line 2");
        }
        for text in ["birth_date = '2001-02-30'", "[[student_number]]\ninstitution_id = 'x'\nnumber = '1'"] {
            assert!(parse(text).is_err());
        }
    }

    #[test]
    fn a_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("person.toml");
        let most = usize::try_from(IDENTITY_BYTES_MAX).unwrap();
        for (bytes, ok) in [(most, true), (most.saturating_add(1), false)] {
            std::fs::write(&path, "#".repeat(bytes)).unwrap();
            assert_eq!(read(&path).is_ok(), ok);
        }
    }
}
