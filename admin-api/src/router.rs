//! The routes and their layers.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use tokio::sync::Semaphore;

use crate::control::Control;
use crate::envelope::{RequestIds, envelope};
use crate::options::{MetricsAccess, Options};
use crate::problem::{Kind, Problem};
use crate::resources::{
    calls, configuration, conformance, health, metrics, overload, quarantine, registrations, subscriptions,
    targets, trunks, turn,
};
use crate::stats::Stats;
use crate::token::Token;
use crate::{auth, limits, openapi};

/// What all requests share.
pub(crate) type App = Arc<Shared>;

pub(crate) struct Shared {
    pub(crate) control: Arc<dyn Control>,
    pub(crate) token: Token,
    pub(crate) options: Options,
    pub(crate) admission: Semaphore,
    pub(crate) stats: Stats,
    pub(crate) request_ids: RequestIds,
}

/// The whole API as a service, without a server; [`serve`](crate::serve) puts it on a listener.
pub fn router(control: Arc<dyn Control>, token: Token, options: Options) -> Router {
    let admission = Semaphore::new(options.max_requests.min(Semaphore::MAX_PERMITS));
    let max_body = options.max_body;
    let app = Arc::new(Shared {
        control,
        token,
        options,
        admission,
        stats: Stats::default(),
        request_ids: RequestIds::new(),
    });
    let authenticated = from_fn_with_state(app.clone(), auth::require);

    let v1 = Router::new()
        .route("/calls", get(calls::list).post(calls::place))
        .route("/calls/{id}", get(calls::show).delete(calls::end))
        .route("/targets", get(targets::list))
        .route("/overload", get(overload::show))
        .route("/quarantine", get(quarantine::list))
        .route("/quarantine/{source}", delete(quarantine::lift))
        .route("/trunks", get(trunks::list))
        .route("/trunks/{name}/targets", get(trunks::targets))
        .route("/registrations", get(registrations::list))
        .route("/registrations/{address}", get(registrations::show).delete(registrations::end))
        .route("/registrations/{address}/subscriptions", get(registrations::subscriptions))
        .route("/subscriptions", get(subscriptions::list))
        .route("/turn/allocations", get(turn::allocations))
        .route("/turn/credentials", post(turn::credentials))
        .route("/config", get(configuration::show))
        .route("/config/reload", post(configuration::reload))
        .route("/conformance", get(conformance::list))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(authenticated.clone());
    let metrics = match app.options.metrics {
        MetricsAccess::Open => get(metrics::show),
        MetricsAccess::Token => get(metrics::show).layer(authenticated),
    };
    let admitted = Router::new()
        .nest("/v1", v1)
        .route("/metrics", metrics)
        .route("/openapi.json", get(openapi::show))
        .layer(DefaultBodyLimit::max(max_body))
        .layer(from_fn_with_state(app.clone(), limits::admission));
    Router::new()
        .merge(admitted)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), limits::deadline))
        .layer(from_fn_with_state(app.clone(), envelope))
        .with_state(app)
}

async fn not_found(uri: Uri) -> Problem {
    Problem::new(Kind::NotFound, format!("nothing is at {}; /openapi.json lists what there is", uri.path()))
}

/// The router adds the Allow header field.
async fn method_not_allowed(method: Method) -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        format!("{method} is not for this resource; see the Allow header field"),
    )
}
