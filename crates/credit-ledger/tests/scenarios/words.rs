//! What the words of a scenario stand for.

use crate::draw::{expanded, word_of};
use credit_types::{
    AccountRef, Amount, CivilDate, Credits, Digest, FrameworkId, InstitutionId, InstitutionKey, KeyPurpose,
    Kid, Level, PublicKey, RecordId, RecordKind, Role, SchemeId, SignerId,
};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// One line: a verb, words, and options of the form `name=value`, of which the last one of a name counts.
pub(super) struct Line<'a> {
    pub(super) verb: &'a str,
    pub(super) words: Vec<&'a str>,
    options: Vec<(&'a str, &'a str)>,
    used: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut parts = text.split_whitespace();
        let verb = parts.next().expect("a line has a verb");
        let (options, words): (Vec<&str>, Vec<&str>) = parts.partition(|part| part.contains('='));
        let options = options.into_iter().filter_map(|option| option.split_once('=')).collect();
        Self { verb, words, options, used: RefCell::default() }
    }

    pub(super) fn word(&self, place: usize) -> &'a str {
        self.words.get(place).unwrap_or_else(|| panic!("{}: word {place} is missing", self.verb))
    }

    pub(super) fn option(&self, name: &'a str) -> Option<&'a str> {
        self.used.borrow_mut().insert(name);
        self.options.iter().rfind(|(option, _)| *option == name).map(|(_, value)| *value)
    }

    pub(super) fn or(&self, name: &'a str, otherwise: &'a str) -> &'a str {
        self.option(name).unwrap_or(otherwise)
    }

    /// The parts of a list; none of `none`.
    pub(super) fn list(&self, name: &'a str, otherwise: &'a str) -> Vec<&'a str> {
        let text = self.or(name, otherwise);
        if text == "none" { Vec::new() } else { text.split(',').collect() }
    }

    pub(super) fn date(&self, name: &'a str) -> Option<CivilDate> {
        self.option(name).filter(|text| *text != "none").map(date)
    }

    /// A typing error must not pass for a scenario.
    pub(super) fn assert_used(&self) {
        for (name, _) in &self.options {
            assert!(self.used.borrow().contains(name), "{} does not know {name}=", self.verb);
        }
    }
}

pub(super) fn date(text: &str) -> CivilDate {
    text.parse().unwrap_or_else(|_| panic!("{text} is no date"))
}

/// Bytes that sort as their names do.
fn padded<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    bytes
}

pub(super) fn account(name: &str) -> AccountRef {
    AccountRef(padded(name))
}

pub(super) fn record(name: &str) -> RecordId {
    RecordId(padded(name))
}

pub(super) fn leaf_hash(name: &str) -> Digest {
    Digest(padded(name))
}

pub(super) fn digest(name: &str) -> Digest {
    Digest(expanded(word_of(name)))
}

pub(super) fn institution(name: &str) -> InstitutionId {
    InstitutionId::new(format!("cn.{name}")).unwrap()
}

pub(super) fn signer(name: &str) -> SignerId {
    match name {
        "authority" => SignerId::Authority,
        "operator" => SignerId::Operator,
        other => SignerId::Institution(institution(other)),
    }
}

pub(super) fn kid(name: &str) -> Kid {
    Kid(expanded(word_of(name)))
}

pub(super) fn public_key(name: &str) -> PublicKey {
    PublicKey { bytes: expanded(!word_of(name)), kid: kid(name) }
}

/// `a.records2` is a key of `a` for records, `a.keys+recovery` one for two purposes.
pub(super) fn institution_key(name: &str) -> InstitutionKey {
    let (_, purposes) = name.split_once('.').expect("a key's name has a dot");
    let purposes =
        purposes.trim_end_matches(|c: char| c.is_ascii_digit()).split('+').map(|purpose| match purpose {
            "records" => KeyPurpose::Records,
            "status" => KeyPurpose::Status,
            "decisions" => KeyPurpose::Decisions,
            "registry" => KeyPurpose::Registry,
            "keys" => KeyPurpose::Keys,
            "recovery" => KeyPurpose::Recovery,
            "tokens" => KeyPurpose::Tokens,
            other => panic!("{other} is no purpose"),
        });
    InstitutionKey { key: public_key(name), purposes: purposes.collect() }
}

pub(super) fn role(name: &str) -> Role {
    match name {
        "issuer" => Role::Issuer,
        "registrar" => Role::Registrar,
        "regulator" => Role::Regulator,
        "witness" => Role::Witness,
        other => panic!("{other} is no role"),
    }
}

pub(super) fn kind(name: &str) -> RecordKind {
    match name {
        "course" => RecordKind::FormalCourse,
        "grade" => RecordKind::SkillGrade,
        "activity" => RecordKind::Activity,
        other => panic!("{other} is no kind"),
    }
}

/// `3000:CN_XF`.
pub(super) fn amount(text: &str) -> Option<Amount> {
    let (milli, scheme) = text.split_once(':')?;
    let credits = Credits::from_milli(milli.parse().unwrap()).unwrap();
    Some(Amount { scheme: SchemeId::new(scheme).unwrap(), credits })
}

/// `nqf:60`.
pub(super) fn level(text: &str) -> Option<Level> {
    let (framework, tenths) = text.split_once(':')?;
    Some(Level { framework: FrameworkId::new(framework).unwrap(), tenths: tenths.parse().unwrap() })
}
