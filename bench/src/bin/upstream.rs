//! Freshchat for benchmarks: `upstream <delay in ms>`. Prints its origin, then serves until its input ends.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Result;
use freshworks_bench::upstream::answer;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let delay = std::env::args().nth(1).map_or(Ok(0), |delay| delay.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    let serve = move |request: Request<Incoming>| async move {
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let (status, body) = answer(method.as_str(), &path, &body);
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
        Ok::<_, Infallible>(response)
    };
    tokio::task::spawn_blocking(|| {
        let _ = std::io::read_to_string(std::io::stdin());
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(serve));
        tokio::spawn(async move {
            // The measured side reports errors.
            let _ = connection.await;
        });
    }
}
