//! `creditbank token`: access tokens of a trial ledger, signed by the key in its home.
//!
//! A real ledger's tokens come from its operator's identity provider; this command refuses where there is no
//! `issuer.key`, which only `serve --dev` makes.

use super::Context;
use super::keys::institution_id;
use super::serve::DEV_ISSUER;
use crate::ending::{CommandError, Ending, Exit};
use crate::keyfile::signing_key;
use crate::language::Phrase;
use crate::output::Output;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credit_log::envelope::{SigningKey, kid_text};
use credit_service::clock::Clock;
use credit_types::{AccountRef, InstitutionId};

/// The longest life of a token in seconds: what a server accepts of an issuer.
pub(crate) const LIFE_MAX_S: i64 = 3_600;

/// Whose token to issue.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// For a learner: their own account · 学习者令牌，只能访问本人账户
    #[command(after_help = "Examples · 示例:\n  creditbank token learner 00112233445566778899aabbccddeeff")]
    Learner {
        /// The account: 32 hexadecimal digits · 账户标识，32 位十六进制
        #[arg(value_parser = account_ref)]
        account: AccountRef,
        /// Seconds until it ends · 有效秒数
        #[arg(long, default_value_t = LIFE_MAX_S, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=LIFE_MAX_S))]
        life: i64,
    },
    /// For an auditor: everything that is pseudonymous · 审计令牌，可读全部假名数据
    #[command(after_help = "Examples · 示例:\n  creditbank token auditor --life 600")]
    Auditor {
        /// Seconds until it ends · 有效秒数
        #[arg(long, default_value_t = LIFE_MAX_S, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=LIFE_MAX_S))]
        life: i64,
    },
    /// For a clerk of a registrar · 登记机构人员令牌
    #[command(after_help = "Examples · 示例:\n  creditbank token registrar cn.yunjiang.creditbank")]
    Registrar {
        /// The registrar · 登记机构
        #[arg(value_parser = institution_id)]
        institution: InstitutionId,
        /// Seconds until it ends · 有效秒数
        #[arg(long, default_value_t = LIFE_MAX_S, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=LIFE_MAX_S))]
        life: i64,
    },
}

/// Reads an account: 32 hexadecimal digits.
pub(crate) fn account_ref(text: &str) -> Result<AccountRef, String> {
    super::labels::unhex(text)
        .and_then(|bytes| AccountRef::from_slice(&bytes).ok())
        .ok_or_else(|| "32 hexadecimal digits".to_owned())
}

/// Who a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// A learner.
    Learner(AccountRef),
    /// An auditor.
    Auditor,
    /// A clerk of a registrar.
    Registrar(InstitutionId),
}

/// Issues a token.
pub(crate) fn run(context: &mut Context, command: Command) -> Ending {
    let (bearer, life) = match command {
        Command::Learner { account, life } => (Bearer::Learner(account), life),
        Command::Auditor { life } => (Bearer::Auditor, life),
        Command::Registrar { institution, life } => (Bearer::Registrar(institution), life),
    };
    let audience = super::connect::trust(context, None)?.origin;
    let token = issue(context, &audience, &bearer, life)?;
    match context.output.format {
        crate::output::Format::Text => Output::document(&token),
        crate::output::Format::Json => context.output.json(&serde_json::json!({ "token": token })),
    }
    Ok(Exit::Done)
}

/// Signs a token with the issuer's key in the home.
pub(super) fn issue(
    context: &mut Context,
    audience: &str,
    bearer: &Bearer,
    life_s: i64,
) -> Result<String, CommandError> {
    let path = context.home.issuer_key();
    if !path.exists() {
        return Err(CommandError::usage(Phrase::NoIssuerKey, &[&path.display()]));
    }
    let key = signing_key(&path, &mut context.passphrases)?;
    let now_s = Clock::default().now_us().div_euclid(1_000_000);
    Ok(signed(&key, audience, bearer, now_s, life_s))
}

fn signed(key: &SigningKey, audience: &str, bearer: &Bearer, now_s: i64, life_s: i64) -> String {
    let (role, subject, account) = match bearer {
        Bearer::Learner(account) => ("learner", account.to_string(), Some(account.to_string())),
        Bearer::Auditor => ("auditor", "auditor".to_owned(), None),
        Bearer::Registrar(institution) => ("registrar", institution.to_string(), None),
    };
    let header = serde_json::json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid_text(&key.public().kid()) });
    let claims = serde_json::json!({
        "iss": DEV_ISSUER,
        "aud": audience,
        "sub": subject,
        "role": role,
        "account_ref": account,
        "iat": now_s,
        "exp": now_s.saturating_add(life_s),
    });
    let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_who_it_is_for_and_when_it_ends() {
        let key = SigningKey::from_seed([3; 32]);
        let account = AccountRef([0xab; 16]);
        let token = signed(&key, "dev.x", &Bearer::Learner(account), 1_000, 60);
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("{token}") };
        let json = |part: &str| -> serde_json::Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(json(header)["alg"], "EdDSA");
        let claims_read = json(claims);
        assert_eq!(claims_read["account_ref"], "ab".repeat(16));
        assert_eq!((&claims_read["iat"], &claims_read["exp"]), (&1_000.into(), &1_060.into()));
        let message = format!("{header}.{claims}");
        let signature = <[u8; 64]>::try_from(URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        assert!(key.public().verify(message.as_bytes(), &signature).is_ok());
    }

    #[test]
    fn a_token_lives_for_seconds_within_bounds() {
        use clap::Parser as _;
        for (life, ok) in [(0, false), (1, true), (LIFE_MAX_S, true), (LIFE_MAX_S.saturating_add(1), false)] {
            let life = life.to_string();
            let read = crate::args::Cli::try_parse_from(["creditbank", "token", "auditor", "--life", &life]);
            assert_eq!(read.is_ok(), ok, "{life}");
        }
    }

    #[test]
    fn an_account_is_thirty_two_digits() {
        assert_eq!(account_ref(&"0A".repeat(16)), Ok(AccountRef([10; 16])));
        for bad in ["", "0", &"0a".repeat(15), &"0a".repeat(17), &"0g".repeat(16)] {
            assert!(account_ref(bad).is_err(), "{bad}");
        }
    }
}
