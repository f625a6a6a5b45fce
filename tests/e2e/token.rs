//! Access tokens that are wrong in one thing.

use crate::institution::{Institution, jwt, jwt_with, now_s};
use crate::session::{Caller, Session, hex, refusal};
use crate::shared::busy;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use credit_log::envelope::{SigningKey, kid_text};
use credit_proto::v1;
use credit_proto::v1::KeyPurpose;
use serde_json::{Value, json};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response, Status};

/// What any institution may call.
async fn resolve(caller: &Caller) -> Result<Response<v1::ResolveAccountsResponse>, Status> {
    let by = Some(v1::account_query::By::StudentNumber("nobody".to_owned()));
    let request = v1::ResolveAccountsRequest { queries: vec![v1::AccountQuery { by }] };
    caller.accounts().resolve_accounts(request).await
}

async fn refused(session: &Session<'_>, token: &str, reason: &str) {
    let refused = refusal(reason, resolve(&session.bearer(token)).await);
    assert_eq!(refused.code, Code::Unauthenticated, "{reason}");
}

/// The claims of an institution's token, one of them set to something else, or left out.
fn claims(session: &Session<'_>, name: &str, value: Option<Value>) -> Value {
    let (school, now) = (&session.world.school, now_s());
    let mut claims = json!({ "iss": school.id, "aud": session.world.origin, "iat": now, "exp": now + 300 });
    match value {
        Some(value) => claims[name] = value,
        None => drop(claims.as_object_mut().unwrap().remove(name)),
    }
    claims
}

#[tokio::test]
async fn a_token_is_of_the_present_and_lives_for_minutes() {
    let session = busy().await;
    let key = session.world.school.key(KeyPurpose::Tokens);
    let now = now_s();
    let timed = |iat: i64, exp: i64| {
        let mut claims = claims(&session, "iat", Some(json!(iat)));
        claims["exp"] = json!(exp);
        jwt(&key, &claims)
    };
    resolve(&session.bearer(&timed(now, now + 300))).await.expect("the longest life");
    resolve(&session.bearer(&timed(now - 300, now))).await.expect("clocks may differ by seconds");
    refused(&session, &timed(now, now + 301), "TOKEN_LIFE").await;
    refused(&session, &timed(now, now), "TOKEN_LIFE").await;
    refused(&session, &timed(now, now - 10), "TOKEN_LIFE").await;
    refused(&session, &timed(i64::MIN, i64::MAX), "TOKEN_LIFE").await;
    refused(&session, &timed(now - 400, now - 120), "TOKEN_EXPIRED").await;
    refused(&session, &timed(now + 120, now + 300), "TOKEN_NOT_YET").await;
    let later = claims(&session, "nbf", Some(json!(now + 120)));
    refused(&session, &jwt(&key, &later), "TOKEN_NOT_YET").await;
}

#[tokio::test]
async fn a_token_is_for_this_log_and_by_its_institution() {
    let session = busy().await;
    let key = session.world.school.key(KeyPurpose::Tokens);
    let changed = |name: &str, value: Option<Value>| jwt(&key, &claims(&session, name, value));
    refused(&session, &changed("aud", Some(json!("dev.creditbank/other"))), "TOKEN_AUDIENCE").await;
    refused(&session, &changed("iss", Some(json!(session.world.registrar.id))), "TOKEN_ISSUER").await;
    refused(&session, &changed("aud", Some(json!([session.world.origin, "elsewhere"]))), "TOKEN_CLAIMS")
        .await;
    for name in ["iss", "aud", "iat", "exp"] {
        refused(&session, &changed(name, None), "TOKEN_CLAIMS").await;
    }
    refused(&session, &changed("exp", Some(json!("soon"))), "TOKEN_CLAIMS").await;
}

#[tokio::test]
async fn a_token_is_signed_by_a_tokens_key_that_is_in_force() {
    let session = busy().await;
    let school = Institution::school();
    session.admit(&school).await;
    let now = now_s();
    let claims = json!({ "iss": school.id, "aud": session.world.origin, "iat": now, "exp": now + 300 });
    let [tokens, records] = [KeyPurpose::Tokens, KeyPurpose::Records].map(|purpose| school.key(purpose));
    resolve(&session.bearer(&jwt(&tokens, &claims))).await.expect("a token");
    refused(&session, &jwt(&records, &claims), "TOKEN_KEY_NOT_USABLE").await;
    refused(&session, &jwt(&school.spare_key("unknown"), &claims), "TOKEN_KEY_UNKNOWN").await;
    let named = |kid: Value, by: &SigningKey| {
        jwt_with(by, &json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }), &claims)
    };
    refused(&session, &named(json!(kid_text(&tokens.public().kid())), &records), "TOKEN_SIGNATURE").await;
    refused(&session, &named(json!("ed25519:short"), &tokens), "TOKEN_KEY_UNKNOWN").await;
    session.retire_key(&school, &school.key(KeyPurpose::Keys), &tokens).await.expect("a key retires");
    refused(&session, &jwt(&tokens, &claims), "TOKEN_KEY_NOT_USABLE").await;
    let second = school.spare_key("second");
    session.add_key(&school, &second, KeyPurpose::Tokens).await;
    resolve(&session.bearer(&jwt(&second, &claims))).await.expect("the new key signs tokens");
    let from = session.key(&second).await.active_from_index;
    session.report_key(&school, &second, from).await.expect("a report");
    refused(&session, &jwt(&second, &claims), "TOKEN_KEY_NOT_USABLE").await;
}

#[tokio::test]
async fn a_token_is_ed25519_and_nothing_else() {
    let session = busy().await;
    let key = session.world.school.key(KeyPurpose::Tokens);
    let kid = kid_text(&key.public().kid());
    let claims = claims(&session, "iat", Some(json!(now_s())));
    let with = |header: Value| jwt_with(&key, &header, &claims);
    for alg in ["none", "None", "HS256", "RS256", "ES256", "EdDSA2", ""] {
        let token = with(json!({ "alg": alg, "typ": "JWT", "kid": kid }));
        let status = resolve(&session.bearer(&token)).await.expect_err("another algorithm");
        assert_eq!(status.code(), Code::Unauthenticated, "{alg}");
        let told = status.message().split(':').next().unwrap_or_default();
        assert!(["TOKEN_ALGORITHM", "TOKEN_MALFORMED"].contains(&told), "{alg}: {status:?}");
    }
    refused(&session, &with(json!({ "alg": "EdDSA", "kid": kid, "crit": ["x"], "x": 1 })), "TOKEN_MALFORMED")
        .await;
    let good = with(json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }));
    let parts: Vec<&str> = good.split('.').collect();
    for token in [
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.x"),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode("{}"), parts[2]),
        format!(" {good}"),
    ] {
        let status = resolve(&session.bearer(&token)).await.expect_err("a broken token");
        assert_eq!(status.code(), Code::Unauthenticated, "{token}: {status:?}");
    }
    refused(&session, &"x".repeat(4_097), "TOKEN_TOO_LONG").await;
    resolve(&session.bearer(&good)).await.expect("the token itself");
}

#[tokio::test]
async fn a_header_that_is_there_must_be_right_also_where_none_is_needed() {
    let session = busy().await;
    let open = async |caller: Caller| caller.log().get_checkpoint(v1::GetCheckpointRequest {}).await;
    open(session.anyone()).await.expect("nobody may ask");
    for value in ["Basic YTpi", "Bearer", "bearer", "x"] {
        refusal("TOKEN_MALFORMED", open(session.anyone().header("authorization", value)).await);
    }
    refusal("TOKEN_MALFORMED", open(session.bearer("x")).await);
    // Two of them leave open which one counts.
    let token = format!("Bearer {}", session.world.school.token(&session.world.origin));
    let mut request = Request::new(v1::GetCheckpointRequest {});
    for _ in 0..2 {
        request.metadata_mut().append("authorization", MetadataValue::try_from(&token).unwrap());
    }
    let mut stub = credit_rpc::v1::log_service_client::LogServiceClient::new(session.channel());
    refusal("TOKEN_MALFORMED", stub.get_checkpoint(request).await);
}

#[tokio::test]
async fn learners_and_auditors_have_tokens_of_the_configured_issuer() {
    let session = busy().await;
    let account = session.account().await.account_ref;
    let issuer = session.world.issuer_key();
    let get = async |claims: &Value, key: &SigningKey| {
        let request = v1::GetAccountRequest { account_ref: account.clone() };
        session.bearer(&jwt(key, claims)).accounts().get_account(request).await
    };
    let learner = |account_ref: Value| {
        let mut claims = session.world.issued("learner");
        claims["account_ref"] = account_ref;
        claims
    };
    let own = learner(json!(hex(&account)));
    get(&own, &issuer).await.expect("a learner's own account");
    for account_ref in [json!(null), json!(""), json!("zz"), json!(hex(&account[..15])), json!(7)] {
        refusal("TOKEN_CLAIMS", get(&learner(account_ref), &issuer).await);
    }
    for role in ["", "admin", "operator", "Auditor"] {
        refusal("TOKEN_CLAIMS", get(&session.world.issued(role), &issuer).await);
    }
    let changed = |name: &str, value: Value| {
        let mut claims = own.clone();
        claims[name] = value;
        claims
    };
    refusal("TOKEN_CLAIMS", get(&changed("sub", json!("")), &issuer).await);
    refusal("TOKEN_ISSUER", get(&changed("iss", json!("another-issuer")), &issuer).await);
    refusal("TOKEN_LIFE", get(&changed("exp", json!(now_s() + 3_700)), &issuer).await);
    // No other key may issue, and a registrar's clerk is one of a registrar that there is.
    refusal("TOKEN_KEY_UNKNOWN", get(&own, &SigningKey::from_seed([7; 32])).await);
    let mut clerk = session.world.issued("registrar");
    refusal("TOKEN_CLAIMS", get(&clerk, &issuer).await);
    clerk["sub"] = json!(session.world.school.id);
    refusal("TOKEN_CLAIMS", get(&clerk, &issuer).await);
    clerk["sub"] = json!(session.world.registrar.id);
    get(&clerk, &issuer).await.expect("a registrar's clerk");
}
