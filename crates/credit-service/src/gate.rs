//! The gate before every call: who calls, whether they may, how long it took. What is not in the policy table does not
//! come through.

use crate::access::token::{Desk, Issuer, TokenKey, authenticate, bearer};
use crate::access::{Principal, REFLECTION, Roles, policy};
use crate::clock;
use crate::deadline;
use crate::draining;
use crate::failure::Failure;
use crate::grpc::{Caller, Edge, micros_since};
use crate::reader::Reader;
use crate::status::{Language, Problem, code_of_headers};
use credit_ledger::{Row, RowId};
use credit_types::{InstitutionId, KeyPurpose, Kid};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response, header};
use tower::{Layer, Service};

/// What calls are counted under that name no method of ours.
const NO_METHOD: &str = "other";
/// The methods that answer with a stream; how they end is counted where they end.
const STREAMS: [&str; 3] = [
    "/creditbank.v1.LogService/WatchCheckpoints",
    "/creditbank.v1.RecordService/SubmitBatch",
    "/creditbank.v1.RecordService/SubmitRecords",
];

/// Puts the gate before services.
#[derive(Clone)]
pub(crate) struct GateLayer {
    /// What all services share.
    pub(crate) edge: Arc<Edge>,
    /// Who signs tokens of learners, auditors and registrars.
    pub(crate) issuer: Option<Arc<Issuer>>,
}

/// Services behind the gate.
#[derive(Clone)]
pub(crate) struct Gate<S> {
    layer: GateLayer,
    inner: S,
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { layer: self.clone(), inner }
    }
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The service that was polled ready is the one to call; its clone may not be.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let layer = self.layer.clone();
        Box::pin(async move {
            let begun = clock::instant();
            let method = policy(request.uri().path()).map_or(NO_METHOD, |(method, _)| method);
            let (caller, response) = match layer.admit(request.uri().path(), request.headers(), begun).await {
                Ok(caller) => {
                    if caller.method == REFLECTION {
                        let draining = layer.edge.draining.clone();
                        request = request.map(|body| draining::until_begun(body, draining));
                    }
                    let kind = caller.principal.kind();
                    request.extensions_mut().insert(caller);
                    (kind, inner.call(request).await?)
                }
                Err((problem, language)) => ("refused", layer.edge.tell(&problem, language).into_http()),
            };
            let (code, micros) = (code_of_headers(response.headers()), micros_since(begun));
            if code != "OK" || !STREAMS.contains(&method) {
                layer.edge.metrics.called(method, code);
            }
            layer.edge.metrics.took(method, micros);
            tracing::debug!(method, caller, code, micros, "call");
            Ok(response)
        })
    }
}

impl GateLayer {
    /// Finds out who calls, and whether they may.
    async fn admit(
        &self,
        path: &str,
        headers: &HeaderMap,
        begun: Instant,
    ) -> Result<Caller, (Problem, Language)> {
        let language = Language::of(headers);
        let refused = |problem| (problem, language);
        let (method, rule) = policy(path).ok_or_else(|| refused(Problem::NoMethod))?;
        let principal = self.principal(headers).await.map_err(|failure| refused(failure.into()))?;
        rule.admit(&principal).map_err(|failure| refused(failure.into()))?;
        let timeout =
            headers.get(deadline::HEADER).and_then(|value| value.to_str().ok()).and_then(deadline::parse);
        Ok(Caller { principal, rule, method, language, expires: deadline::expires(begun, timeout) })
    }

    async fn principal(&self, headers: &HeaderMap) -> Result<Principal, Failure> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            let none = !headers.contains_key(header::AUTHORIZATION);
            return if none {
                Ok(Principal::Anonymous)
            } else {
                Err(Failure::Unauthenticated("TOKEN_MALFORMED"))
            };
        };
        let value = value.to_str().map_err(|_| Failure::Unauthenticated("TOKEN_MALFORMED"))?.to_owned();
        let (edge, issuer) = (Arc::clone(&self.edge), self.issuer.clone());
        let seen = edge.seen_tokens.has(bearer(&value).unwrap_or_default());
        let present = move || {
            let reader = edge.ledger.reader();
            let desk = Desk {
                audience: &reader.genesis().origin,
                now_us: reader.now_us(),
                issuer: issuer.as_deref(),
                seen: &edge.seen_tokens,
                key: &|kid| token_key(reader, kid),
                roles: &|institution| roles_of(reader, institution),
            };
            authenticate(&desk, Some(&value))
        };
        // To check a signature is not for the threads that serve sockets; to look up one that was checked is.
        if seen { present() } else { self.edge.blocking(present).await }
    }
}

/// A key of the log, and whether it may sign tokens at present.
fn token_key(reader: &Reader, kid: Kid) -> Result<Option<TokenKey>, Failure> {
    let Some(Row::Key(row)) = reader.row(&RowId::Key(kid))? else { return Ok(None) };
    let in_force = row.retired_index.is_none() && row.compromised.is_none();
    let usable = in_force && row.key.purposes.contains(&KeyPurpose::Tokens);
    Ok(Some(TokenKey { owner: row.owner.clone(), key: row.key.key.bytes, usable }))
}

/// The roles of an institution, if it is admitted.
fn roles_of(reader: &Reader, institution: &InstitutionId) -> Result<Option<Roles>, Failure> {
    match reader.row(&RowId::Institution(institution.clone()))? {
        Some(Row::Institution(row)) => Ok(Some(row.admission.roles.clone())),
        _ => Ok(None),
    }
}
