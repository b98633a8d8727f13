//! The photo of a human agent. In the account its host is `https://avatars.example`; requests redirected here find it.

use axum::Router;
use axum::http::header;
use axum::routing::get;

/// `/maya-chen.png`, as the photos of Freshworks are: open to everybody who knows the address.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let photo = || async { ([(header::CONTENT_TYPE, "image/png")], include_bytes!("maya-chen.png")) };
    Router::new().route("/maya-chen.png", get(photo))
}
