//! An HTTP client.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Status and body; an error if the response is incomplete.
pub(crate) async fn send(method: &str, url: &str, body: &str) -> anyhow::Result<(u16, String)> {
    // A separate client, so that no connection is reused.
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request =
        http::Request::builder().method(method).uri(url).header("x-own", "1").header("spin-full-url", "forged");
    let response = client.request(request.body(Full::from(body.to_owned()))?).await?;
    let status = response.status().as_u16();
    Ok((status, String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?))
}
