//! What keeps one request from costing too much: the deadline and admission.

use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Kind, Problem};
use crate::router::App;

/// Answers in the place of a resource that has not answered in time.
pub(crate) async fn deadline(State(app): State<App>, request: Request, next: Next) -> Response {
    let limit = app.options.request_timeout;
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail =
                format!("no answer within {} s; a command may have been carried out", limit.as_secs_f64());
            Problem::new(Kind::Timeout, detail).into_response()
        }
    }
}

/// Bounds the requests in work, and refuses announced content that is too long before it is sent.
pub(crate) async fn admission(State(app): State<App>, request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|field| field.to_str().ok());
    if length
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| length > app.options.max_body)
    {
        return content_too_large(&app).into_response();
    }
    let Ok(_admitted) = app.admission.try_acquire() else {
        app.stats.overloaded();
        let detail = format!("{} requests are in work", app.options.max_requests);
        return Problem::overloaded(detail).into_response();
    };
    next.run(request).await
}

pub(crate) fn content_too_large(app: &App) -> Problem {
    Problem::new(Kind::ContentTooLarge, format!("the limit is {} bytes", app.options.max_body))
}
