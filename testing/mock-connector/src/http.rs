//! One request over the HTTP bindings that come with the package.

pub(crate) use crate::bindings::wasi::http::types::Method;
use crate::bindings::wasi::http::types::{Fields, IncomingBody, OutgoingBody, OutgoingRequest, Scheme};
use crate::bindings::wasi::{http::outgoing_handler, io::streams::StreamError};

/// Status and body of the response.
pub(crate) fn send(method: &Method, url: &str, token: &str, body: Option<&str>) -> Result<(u16, Vec<u8>), String> {
    let (scheme, rest) = url.split_once("://").ok_or("the address has no scheme")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let headers = vec![
        ("authorization".to_owned(), format!("Bearer {token}").into_bytes()),
        ("content-type".to_owned(), b"application/json".to_vec()),
        ("content-length".to_owned(), body.unwrap_or_default().len().to_string().into_bytes()),
    ];
    let request = OutgoingRequest::new(Fields::from_list(&headers).map_err(|error| error.to_string())?);
    let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
    request
        .set_method(method)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| "the request cannot be made")?;
    let outgoing = request.body().map_err(|()| "the request has no body")?;
    let pending = outgoing_handler::handle(request, None).map_err(|error| error.to_string())?;
    {
        let stream = outgoing.write().map_err(|()| "the body cannot be written")?;
        // At most 4 KiB a call, by the interface.
        for chunk in body.unwrap_or_default().as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(chunk).map_err(|error| error.to_string())?;
        }
    }
    OutgoingBody::finish(outgoing, None).map_err(|error| error.to_string())?;

    pending.subscribe().block();
    let response =
        pending.get().and_then(Result::ok).ok_or("there is no response")?.map_err(|error| error.to_string())?;
    let status = response.status();
    let incoming = response.consume().map_err(|()| "the body was read before")?;
    let mut bytes = Vec::new();
    {
        let stream = incoming.stream().map_err(|()| "the body cannot be read")?;
        loop {
            match stream.blocking_read(64 * 1024) {
                Ok(some) => bytes.extend(some),
                Err(StreamError::Closed) => break,
                Err(error) => return Err(error.to_string()),
            }
        }
    }
    drop(IncomingBody::finish(incoming));
    Ok((status, bytes))
}
