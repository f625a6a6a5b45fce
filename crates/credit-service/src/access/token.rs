//! Access tokens: JWTs signed with Ed25519 and nothing else, for this log, living for minutes.
//!
//! An institution signs its own, by a TOKENS key that the log knows. Learners, auditors and registrars present tokens
//! of the one issuer that the configuration names.

use super::seen::SeenTokens;
use super::{Member, Principal, Roles};
use crate::failure::Failure;
use crate::hex::unhex;
use credit_log::envelope::{kid_of, kid_text, parse_kid_text};
use credit_types::{AccountRef, InstitutionId, Kid, Role};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// The most bytes of a token.
pub(crate) const TOKEN_BYTES_MAX: usize = 4_096;
/// The longest life of an institution's token in seconds.
pub(crate) const INSTITUTION_LIFE_MAX_S: i64 = 300;
/// The longest life of an issuer's token in seconds.
pub(crate) const ISSUED_LIFE_MAX_S: i64 = 3_600;
/// How far two clocks may be apart, in seconds.
pub(crate) const LEEWAY_S: i64 = 30;
/// How the value of `authorization` begins.
const SCHEME: &str = "Bearer ";

/// Who signs tokens of learners, auditors and registrars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issuer {
    /// The `iss` claim.
    pub(crate) name: String,
    /// The Ed25519 public key, admitted.
    pub(crate) key: [u8; 32],
}

/// What the log knows of a key that signed a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenKey {
    /// The owner.
    pub(crate) owner: InstitutionId,
    /// The public key.
    pub(crate) key: [u8; 32],
    /// Whether it may sign tokens at present: it has the purpose, and is neither retired nor compromised.
    pub(crate) usable: bool,
}

/// What tokens are checked against. Lookups ask the log; they fail only where the store does.
pub(crate) struct Desk<'a> {
    /// The log's origin: the audience of every token.
    pub(crate) audience: &'a str,
    /// The present, in microseconds UTC.
    pub(crate) now_us: i64,
    /// The configured issuer.
    pub(crate) issuer: Option<&'a Issuer>,
    /// Finds a key of the log.
    pub(crate) key: &'a dyn Fn(Kid) -> Result<Option<TokenKey>, Failure>,
    /// Tokens whose signatures have been verified.
    pub(crate) seen: &'a SeenTokens,
    /// The roles of an institution; `None`: it is not known.
    pub(crate) roles: &'a dyn Fn(&InstitutionId) -> Result<Option<Roles>, Failure>,
}

/// The claims that are read; a token may carry others.
#[derive(Clone, Deserialize)]
pub(crate) struct Claims {
    iat: i64,
    exp: i64,
    nbf: Option<i64>,
    // One audience only: a token for several services could be played from one to another.
    #[serde(rename = "aud")]
    _aud: String,
    iss: String,
    sub: Option<String>,
    role: Option<String>,
    account_ref: Option<String>,
}

fn refused(code: &'static str) -> Failure {
    Failure::Unauthenticated(code)
}

/// Who presents this `authorization` header; nobody in particular without one. A header that is there must be right.
pub(crate) fn authenticate(desk: &Desk<'_>, header: Option<&str>) -> Result<Principal, Failure> {
    let Some(header) = header else { return Ok(Principal::Anonymous) };
    let token = bearer(header).ok_or(refused("TOKEN_MALFORMED"))?;
    if token.len() > TOKEN_BYTES_MAX {
        return Err(refused("TOKEN_TOO_LONG"));
    }
    // A header that names an algorithm unknown to the library, `none` among them, does not even decode.
    let header = decode_header(token).map_err(|_| refused("TOKEN_MALFORMED"))?;
    if header.alg != Algorithm::EdDSA {
        return Err(refused("TOKEN_ALGORITHM"));
    }
    if header.crit.is_some() {
        return Err(refused("TOKEN_MALFORMED"));
    }
    let kid = header.kid.as_deref().unwrap_or_default();
    match desk.issuer {
        Some(issuer) if kid.is_empty() || kid == kid_text(&kid_of(&issuer.key)) => {
            issued(desk, issuer, token)
        }
        _ => of_institution(desk, kid, token),
    }
}

/// The token in an `authorization` header.
pub(crate) fn bearer(header: &str) -> Option<&str> {
    let scheme = header.get(..SCHEME.len()).filter(|start| start.eq_ignore_ascii_case(SCHEME));
    scheme.and_then(|_| header.get(SCHEME.len()..))
}

/// Reads the token of an institution.
fn of_institution(desk: &Desk<'_>, kid: &str, token: &str) -> Result<Principal, Failure> {
    let kid = parse_kid_text(kid).map_err(|_| refused("TOKEN_KEY_UNKNOWN"))?;
    let key = (desk.key)(Kid(kid))?.ok_or(refused("TOKEN_KEY_UNKNOWN"))?;
    if !key.usable {
        return Err(refused("TOKEN_KEY_NOT_USABLE"));
    }
    let claims = verified(desk, token, &key.key, key.owner.as_str())?;
    in_time(&claims, desk.now_us, INSTITUTION_LIFE_MAX_S)?;
    match (desk.roles)(&key.owner)? {
        Some(roles) => Ok(Principal::Institution(Member { id: key.owner, roles })),
        None => Err(refused("TOKEN_KEY_UNKNOWN")),
    }
}

/// Reads a token of the configured issuer.
fn issued(desk: &Desk<'_>, issuer: &Issuer, token: &str) -> Result<Principal, Failure> {
    let claims = verified(desk, token, &issuer.key, &issuer.name)?;
    in_time(&claims, desk.now_us, ISSUED_LIFE_MAX_S)?;
    let subject = claims.sub.filter(|subject| !subject.is_empty()).ok_or(refused("TOKEN_CLAIMS"))?;
    match claims.role.as_deref() {
        Some("learner") => {
            let account = claims.account_ref.as_deref().and_then(unhex).unwrap_or_default();
            AccountRef::from_slice(&account).map(Principal::Learner).map_err(|_| refused("TOKEN_CLAIMS"))
        }
        Some("auditor") => Ok(Principal::Auditor),
        Some("registrar") => {
            let id = InstitutionId::new(subject).map_err(|_| refused("TOKEN_CLAIMS"))?;
            match (desk.roles)(&id)? {
                // A clerk speaks for this one role of the institution's.
                Some(roles) if roles.contains(&Role::Registrar) => {
                    Ok(Principal::Institution(Member { id, roles: Roles::from([Role::Registrar]) }))
                }
                Some(_) | None => Err(refused("TOKEN_CLAIMS")),
            }
        }
        Some(_) | None => Err(refused("TOKEN_CLAIMS")),
    }
}

/// The claims of a token whose signature, issuer and audience are right.
fn verified(desk: &Desk<'_>, token: &str, key: &[u8; 32], issuer: &str) -> Result<Claims, Failure> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[desk.audience]);
    // The library would read the clock itself; times are checked in `in_time`, by the clock that all else goes by.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims = desk.seen.claims(key, issuer, token, || {
        decode::<Claims>(token, &DecodingKey::from_ed_der(key), &validation)
            .map(|decoded| decoded.claims)
            .map_err(|error| refused(code_of(error.kind())))
    })?;
    // The library takes a list of issuers too, if one of them is right.
    if claims.iss == issuer { Ok(claims) } else { Err(refused("TOKEN_ISSUER")) }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's enum may grow; all else is one thing to a caller"
)]
fn code_of(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "TOKEN_SIGNATURE",
        ErrorKind::InvalidAudience => "TOKEN_AUDIENCE",
        ErrorKind::InvalidIssuer => "TOKEN_ISSUER",
        ErrorKind::InvalidAlgorithm => "TOKEN_ALGORITHM",
        _ => "TOKEN_CLAIMS",
    }
}

/// Requires that a token holds now, and was not made to hold for long.
fn in_time(claims: &Claims, now_us: i64, life_max_s: i64) -> Result<(), Failure> {
    let now = now_us.div_euclid(1_000_000);
    let life = claims.exp.checked_sub(claims.iat).ok_or(refused("TOKEN_LIFE"))?;
    if !(1..=life_max_s).contains(&life) {
        return Err(refused("TOKEN_LIFE"));
    }
    if now > claims.exp.saturating_add(LEEWAY_S) {
        return Err(refused("TOKEN_EXPIRED"));
    }
    let begins = claims.nbf.map_or(claims.iat, |nbf| nbf.max(claims.iat));
    if begins > now.saturating_add(LEEWAY_S) {
        return Err(refused("TOKEN_NOT_YET"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "times around a fixed second, in tests only")]
    use super::*;
    use credit_log::envelope::SigningKey;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use toml::{Table, Value};

    const NOW: i64 = 1_800_000_000;
    const ORIGIN: &str = "dev.bank.example/log";
    const SCHOOL_SEED: [u8; 32] = [1; 32];
    const RETIRED_SEED: [u8; 32] = [2; 32];
    const CENTRE_SEED: [u8; 32] = [3; 32];
    const ISSUER_SEED: [u8; 32] = [9; 32];

    fn public(seed: [u8; 32]) -> [u8; 32] {
        SigningKey::from_seed(seed).public().bytes()
    }

    fn kid(seed: [u8; 32]) -> String {
        kid_text(&kid_of(&public(seed)))
    }

    /// The key as the library takes it: PKCS#8 version 1 around the seed.
    fn encoding(seed: [u8; 32]) -> EncodingKey {
        let frame = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        EncodingKey::from_ed_der(&[frame.as_slice(), &seed].concat())
    }

    fn claims(pairs: &[(&str, Value)]) -> Table {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    /// An institution's token of the longest life, some claims set otherwise; `None` leaves a claim out.
    fn institution(changes: &[(&str, Option<Value>)]) -> Table {
        let mut table = claims(&[
            ("iss", "cn.x.school".into()),
            ("aud", ORIGIN.into()),
            ("iat", NOW.into()),
            ("exp", (NOW + INSTITUTION_LIFE_MAX_S).into()),
        ]);
        change(&mut table, changes);
        table
    }

    fn issued_claims(role: &str, changes: &[(&str, Option<Value>)]) -> Table {
        let mut table = claims(&[
            ("iss", "idp".into()),
            ("aud", ORIGIN.into()),
            ("sub", "someone".into()),
            ("role", role.into()),
            ("iat", NOW.into()),
            ("exp", (NOW + ISSUED_LIFE_MAX_S).into()),
        ]);
        change(&mut table, changes);
        table
    }

    fn change(table: &mut Table, changes: &[(&str, Option<Value>)]) {
        for (key, value) in changes {
            match value {
                Some(value) => table.insert((*key).to_owned(), value.clone()),
                None => table.remove(*key),
            };
        }
    }

    fn sign(seed: [u8; 32], kid: Option<String>, claims: &Table) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = kid;
        format!("Bearer {}", encode(&header, claims, &encoding(seed)).unwrap())
    }

    fn school(claims: &Table) -> String {
        sign(SCHOOL_SEED, Some(kid(SCHOOL_SEED)), claims)
    }

    /// Shared by all tests: what one has seen must not let another pass.
    static SEEN: std::sync::LazyLock<SeenTokens> = std::sync::LazyLock::new(SeenTokens::default);

    fn check_at(now: i64, header: Option<&str>) -> Result<Principal, Failure> {
        let issuer = Issuer { name: "idp".to_owned(), key: public(ISSUER_SEED) };
        let find = |wanted: Kid| {
            let keys = [
                (SCHOOL_SEED, "cn.x.school", true),
                (RETIRED_SEED, "cn.x.school", false),
                (CENTRE_SEED, "cn.x.centre", true),
            ];
            let found = keys.iter().find(|(seed, _, _)| kid_of(&public(*seed)) == wanted.0);
            Ok(found.map(|(seed, owner, usable)| TokenKey {
                owner: InstitutionId::new(*owner).unwrap(),
                key: public(*seed),
                usable: *usable,
            }))
        };
        let roles = |id: &InstitutionId| {
            Ok(match id.as_str() {
                "cn.x.centre" => Some(Roles::from([Role::Registrar, Role::Regulator])),
                "cn.x.school" => Some(Roles::from([Role::Issuer])),
                _ => None,
            })
        };
        let desk = Desk {
            audience: ORIGIN,
            now_us: now * 1_000_000,
            issuer: Some(&issuer),
            seen: &SEEN,
            key: &find,
            roles: &roles,
        };
        authenticate(&desk, header)
    }

    fn check(header: &str) -> Result<Principal, Failure> {
        check_at(NOW, Some(header))
    }

    fn no(code: &'static str) -> Result<Principal, Failure> {
        Err(Failure::Unauthenticated(code))
    }

    fn member(id: &str, roles: &[Role]) -> Principal {
        let roles = roles.iter().copied().collect();
        Principal::Institution(Member { id: InstitutionId::new(id).unwrap(), roles })
    }

    fn the_school() -> Principal {
        member("cn.x.school", &[Role::Issuer])
    }

    #[test]
    fn without_a_token_nobody_in_particular_calls() {
        assert_eq!(check_at(NOW, None), Ok(Principal::Anonymous));
        for header in ["", "Bearer", "Basic abc", "Bearer ", "Bearer a.b", "Bearer a.b.c"] {
            assert_eq!(check(header), no("TOKEN_MALFORMED"), "{header}");
        }
    }

    #[test]
    fn an_institution_is_known_by_its_own_token_with_the_roles_it_was_admitted_in() {
        assert_eq!(check(&school(&institution(&[]))), Ok(the_school()));
        assert_eq!(check(&school(&institution(&[])).replace("Bearer", "bearer")), Ok(the_school()));
        let centre = institution(&[("iss", Some("cn.x.centre".into()))]);
        let centre = sign(CENTRE_SEED, Some(kid(CENTRE_SEED)), &centre);
        assert_eq!(check(&centre), Ok(member("cn.x.centre", &[Role::Registrar, Role::Regulator])));
    }

    #[test]
    fn each_claim_of_an_institutions_token_must_be_right() {
        let cases: [(&str, Option<Value>, &'static str); 11] = [
            ("exp", None, "TOKEN_CLAIMS"),
            ("iat", None, "TOKEN_CLAIMS"),
            ("iss", None, "TOKEN_CLAIMS"),
            ("aud", None, "TOKEN_CLAIMS"),
            ("exp", Some("soon".into()), "TOKEN_CLAIMS"),
            ("aud", Some("another.log".into()), "TOKEN_AUDIENCE"),
            ("aud", Some(Value::Array(vec![ORIGIN.into(), "another.log".into()])), "TOKEN_CLAIMS"),
            ("iss", Some("cn.x.centre".into()), "TOKEN_ISSUER"),
            ("exp", Some((NOW + INSTITUTION_LIFE_MAX_S + 1).into()), "TOKEN_LIFE"),
            ("exp", Some(NOW.into()), "TOKEN_LIFE"),
            ("nbf", Some((NOW + LEEWAY_S + 1).into()), "TOKEN_NOT_YET"),
        ];
        for (claim, value, code) in cases {
            let token = school(&institution(&[(claim, value.clone())]));
            assert_eq!(check(&token), no(code), "{claim} {value:?}");
        }
        let span = [("iat", Some(i64::MIN.into())), ("exp", Some(i64::MAX.into()))];
        assert_eq!(check(&school(&institution(&span))), no("TOKEN_LIFE"));
    }

    #[test]
    fn a_token_holds_from_its_making_to_its_end_give_or_take_the_leeway() {
        let token = school(&institution(&[]));
        let end = NOW + INSTITUTION_LIFE_MAX_S;
        for (now, want) in [
            (NOW - LEEWAY_S, Ok(the_school())),
            (NOW - LEEWAY_S - 1, no("TOKEN_NOT_YET")),
            (end + LEEWAY_S, Ok(the_school())),
            (end + LEEWAY_S + 1, no("TOKEN_EXPIRED")),
        ] {
            assert_eq!(check_at(now, Some(&token)), want, "{}", now - NOW);
        }
    }

    #[test]
    fn only_a_usable_key_of_the_log_signs_and_only_for_its_owner() {
        let right = institution(&[]);
        assert_eq!(check(&sign(RETIRED_SEED, Some(kid(RETIRED_SEED)), &right)), no("TOKEN_KEY_NOT_USABLE"));
        assert_eq!(check(&sign([8; 32], Some(kid([8; 32])), &right)), no("TOKEN_KEY_UNKNOWN"));
        assert_eq!(check(&sign(SCHOOL_SEED, Some("key-1".to_owned()), &right)), no("TOKEN_KEY_UNKNOWN"));
        // Signed by another key than the one it names.
        assert_eq!(check(&sign(CENTRE_SEED, Some(kid(SCHOOL_SEED)), &right)), no("TOKEN_SIGNATURE"));
        // Another institution's key with this one's name.
        assert_eq!(check(&sign(CENTRE_SEED, Some(kid(CENTRE_SEED)), &right)), no("TOKEN_ISSUER"));
        // Without a kid it would be the configured issuer's.
        assert_eq!(check(&sign(SCHOOL_SEED, None, &right)), no("TOKEN_SIGNATURE"));
    }

    #[test]
    fn no_other_algorithm_is_taken() {
        // {"alg":"none"} and {"alg":"HS256","kid":…} with the public key as the secret.
        assert_eq!(check("Bearer eyJhbGciOiJub25lIn0.e30."), no("TOKEN_MALFORMED"));
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid(SCHOOL_SEED));
        let secret = EncodingKey::from_secret(&public(SCHOOL_SEED));
        let token = encode(&header, &institution(&[]), &secret).unwrap();
        assert_eq!(check(&format!("Bearer {token}")), no("TOKEN_ALGORITHM"));
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid(SCHOOL_SEED));
        header.crit = Some(vec!["b64".to_owned()]);
        let token = encode(&header, &institution(&[]), &encoding(SCHOOL_SEED)).unwrap();
        assert_eq!(check(&format!("Bearer {token}")), no("TOKEN_MALFORMED"));
    }

    #[test]
    fn a_token_is_as_long_as_it_may_be_and_not_longer() {
        let padded = |length: usize| {
            let token = school(&institution(&[("pad", Some("x".repeat(length).into()))]));
            (token.len() - SCHEME.len(), check(&token))
        };
        // Three bytes of padding are four characters of the token, so the exact maximum is met by some length.
        let at_max = (2_000..TOKEN_BYTES_MAX).map(padded).find(|(length, _)| *length >= TOKEN_BYTES_MAX - 1);
        let (length, outcome) = at_max.unwrap();
        assert!(length <= TOKEN_BYTES_MAX);
        assert_eq!(outcome, Ok(the_school()));
        let beyond = (2_000..TOKEN_BYTES_MAX).map(padded).find(|(length, _)| *length > TOKEN_BYTES_MAX);
        assert_eq!(beyond.unwrap().1, no("TOKEN_TOO_LONG"));
    }

    #[test]
    fn the_issuer_speaks_for_learners_auditors_and_registrars() {
        let by_issuer = |claims: &Table| check(&sign(ISSUER_SEED, None, claims));
        let account = Some(Value::from("0102030405060708090a0b0c0d0e0f10"));
        let learner = issued_claims("learner", &[("account_ref", account.clone())]);
        let known = Principal::Learner(AccountRef([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]));
        assert_eq!(by_issuer(&learner), Ok(known.clone()));
        assert_eq!(check(&sign(ISSUER_SEED, Some(kid(ISSUER_SEED)), &learner)), Ok(known));
        assert_eq!(by_issuer(&issued_claims("auditor", &[])), Ok(Principal::Auditor));
        let centre = issued_claims("registrar", &[("sub", Some("cn.x.centre".into()))]);
        assert_eq!(by_issuer(&centre), Ok(member("cn.x.centre", &[Role::Registrar])));
        let refused = [
            (issued_claims("learner", &[]), "TOKEN_CLAIMS"),
            (issued_claims("learner", &[("account_ref", Some("01".into()))]), "TOKEN_CLAIMS"),
            (issued_claims("registrar", &[("sub", Some("cn.x.school".into()))]), "TOKEN_CLAIMS"),
            (issued_claims("operator", &[]), "TOKEN_CLAIMS"),
            (issued_claims("auditor", &[("role", None)]), "TOKEN_CLAIMS"),
            (issued_claims("auditor", &[("sub", None)]), "TOKEN_CLAIMS"),
            (issued_claims("auditor", &[("exp", None)]), "TOKEN_CLAIMS"),
            (issued_claims("auditor", &[("iss", Some("other".into()))]), "TOKEN_ISSUER"),
            (issued_claims("auditor", &[("aud", Some("other".into()))]), "TOKEN_AUDIENCE"),
            (issued_claims("auditor", &[("exp", Some((NOW + ISSUED_LIFE_MAX_S + 1).into()))]), "TOKEN_LIFE"),
        ];
        for (claims, code) in refused {
            assert_eq!(by_issuer(&claims), no(code), "{claims}");
        }
    }

    #[test]
    fn an_institution_can_not_speak_as_the_issuer() {
        let auditor = issued_claims("auditor", &[]);
        assert_eq!(check(&sign(SCHOOL_SEED, Some(kid(SCHOOL_SEED)), &auditor)), no("TOKEN_ISSUER"));
        // Its own token may carry a role: it means nothing there.
        let own = institution(&[("role", Some("auditor".into()))]);
        assert_eq!(check(&school(&own)), Ok(the_school()));
    }
}
