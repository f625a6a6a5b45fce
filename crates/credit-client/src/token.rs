//! Access tokens: what says who calls. What a statement says is proved by its signatures alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credit_log::envelope::{SigningKey, kid_text};
use credit_types::InstitutionId;
use serde_json::json;
use std::fmt;
use std::time::Duration;

/// How long an institution's token lives; the bank takes no longer one.
pub const TOKEN_LIFE: Duration = Duration::from_secs(300);

/// Where the token of a call comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// The institution's TOKENS key signs one for each call.
    Institution,
    /// One that somebody else issued, for a learner, an auditor or a registrar's staff.
    Bearer(String),
}

impl fmt::Debug for TokenSource {
    /// Never shows a token.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Institution => out.write_str("Institution"),
            Self::Bearer(_) => out.write_str("Bearer"),
        }
    }
}

/// A JWT by which an institution says who it is, from `now` on for [`TOKEN_LIFE`]: signed with Ed25519, for the log of
/// this origin and no other.
pub fn institution_token(
    institution: &InstitutionId,
    key: &SigningKey,
    origin: &str,
    now: Duration,
) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid_text(&key.public().kid()) });
    let claims = json!({
        "iss": institution.as_str(),
        "aud": origin,
        "iat": now.as_secs(),
        "exp": now.saturating_add(TOKEN_LIFE).as_secs(),
    });
    let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = key.sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(part: &str) -> serde_json::Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_institutions_token_names_it_the_log_and_five_minutes() {
        let key = SigningKey::from_seed([5; 32]);
        let institution = InstitutionId::new("cn.x.school").unwrap();
        let token = institution_token(&institution, &key, "dev.bank \"x\"", Duration::from_secs(1_000));
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        let header = decoded(parts[0]);
        assert_eq!(header["alg"], "EdDSA");
        assert_eq!(header["kid"], kid_text(&key.public().kid()));
        let claims = decoded(parts[1]);
        assert_eq!(claims["iss"], "cn.x.school");
        assert_eq!(claims["aud"], "dev.bank \"x\"");
        assert_eq!((claims["iat"].as_u64(), claims["exp"].as_u64()), (Some(1_000), Some(1_300)));
        let signature: [u8; 64] = URL_SAFE_NO_PAD.decode(parts[2]).unwrap().try_into().unwrap();
        let signed = format!("{}.{}", parts[0], parts[1]);
        assert!(key.public().verify(signed.as_bytes(), &signature).is_ok());
        assert!(key.public().verify(token.as_bytes(), &signature).is_err());
    }

    #[test]
    fn a_token_is_never_printed() {
        assert!(!format!("{:?}", TokenSource::Bearer("very-secret".to_owned())).contains("secret"));
    }
}
