//! EDGE: HTTP over `wasi:http/outgoing-handler` 0.2, for every WASI shell.
//!
//! All requests are started before the first answer is awaited, so that independent ones overlap although the exports
//! are synchronous. A future of this module is always ready at its first poll: waiting happens inside the host.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method as WasiMethod, OutgoingBody,
    OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::poll;
use wasip2::io::streams::{OutputStream, StreamError};

use crate::http::{Forwarded, Http, Method, Request, Response, TransportError, Wrapped};

/// Largest answer that is read. The vendor's lists of 100 items are far smaller.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;
/// What `blocking-write-and-flush` takes at once, by its definition.
const WRITE_BYTES: usize = 4096;
const READ_BYTES: u64 = 64 * 1024;
const NANOSECONDS: u64 = 1_000_000;

/// The host's HTTP client.
pub struct WasiHttp;

impl Http for WasiHttp {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let started: Vec<Result<FutureIncomingResponse, TransportError>> = requests.iter().map(start).collect();
        wait_for_all(&started);
        started.into_iter().map(|started| finish(started?)).collect()
    }

    fn forward(
        &self,
        source: Request,
        most_bytes: u64,
        wrap: &dyn Fn(&Response) -> Option<Wrapped>,
    ) -> Result<Option<Forwarded>, TransportError> {
        let started = [start(&source)];
        wait_for_all(&started);
        let [started] = started;
        let response = arrived(started?)?;
        let head = head(&response);
        let announced = head.header("content-length").and_then(|length| length.parse::<u64>().ok());
        // A body of unknown length is held, within the limit of all answers.
        let (length, held) = match announced {
            Some(length) => (length, None),
            None => {
                let body = read(&response)?;
                (body.len() as u64, Some(body))
            }
        };
        let Some(wrapped) = wrap(&head).filter(|_| 0 < length && length <= most_bytes) else { return Ok(None) };
        let around = (wrapped.before.len() + wrapped.after.len()) as u64;
        let (outgoing, options) = prepare(&wrapped.request, around + length)?;
        let body = outgoing.body().map_err(|()| before_sending("request-refused-by-host"))?;
        let answer = match outgoing_handler::handle(outgoing, Some(options)) {
            Ok(answer) => answer,
            Err(code) => return Ok(Some((head, Err(failed(&code))))),
        };
        let Ok(stream) = body.write() else { return Ok(Some((head, Err(after_sending("body-cut"))))) };
        let passed = write(&stream, &wrapped.before).is_ok()
            && match held {
                Some(held) => write(&stream, &held).is_ok(),
                None => pass_on(&response, &stream, length).is_ok(),
            }
            && write(&stream, &wrapped.after).is_ok();
        drop(stream);
        if !passed {
            // Dropped unfinished, so that nobody takes it for complete.
            return Ok(Some((head, Err(after_sending("body-cut")))));
        }
        let _ = OutgoingBody::finish(body, None);
        let started = [Ok(answer)];
        wait_for_all(&started);
        let [started] = started;
        Ok(Some((head, started.and_then(finish))))
    }
}

/// Copies exactly so many bytes, piece by piece.
fn pass_on(from: &IncomingResponse, to: &OutputStream, mut left: u64) -> Result<(), ()> {
    let body: IncomingBody = from.consume()?;
    let stream = body.stream()?;
    while left > 0 {
        let piece = stream.blocking_read(READ_BYTES.min(left)).map_err(|_| ())?;
        write(to, &piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}

/// Sends head and body, and does not wait for the answer.
fn start(request: &Request) -> Result<FutureIncomingResponse, TransportError> {
    let (outgoing, options) = prepare(request, request.body.len() as u64)?;
    let body = outgoing.body().map_err(|()| before_sending("request-refused-by-host"))?;
    let answer = outgoing_handler::handle(outgoing, Some(options)).map_err(|code| failed(&code))?;
    // A body that cannot be written makes the answer an error, which tells more than the stream does.
    if body.write().and_then(|stream| write(&stream, &request.body)).is_ok() {
        let _ = OutgoingBody::finish(body, None);
    }
    Ok(answer)
}

/// Everything but the body, of which so many bytes follow.
fn prepare(request: &Request, length: u64) -> Result<(OutgoingRequest, RequestOptions), TransportError> {
    let unusable = || before_sending("request-refused-by-host");
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.as_bytes()).map_err(|_| unusable())?;
    }
    if length > 0 {
        let length = length.to_string();
        headers.append("content-length", length.as_bytes()).map_err(|_| unusable())?;
    }
    let (scheme, authority) = match request.origin.split_once("://") {
        Some(("http", authority)) => (Scheme::Http, authority),
        Some((_, authority)) => (Scheme::Https, authority),
        None => return Err(unusable()),
    };
    let method = match request.method {
        Method::Get => WasiMethod::Get,
        Method::Post => WasiMethod::Post,
        Method::Put => WasiMethod::Put,
        Method::Delete => WasiMethod::Delete,
    };
    let outgoing = OutgoingRequest::new(headers);
    outgoing.set_method(&method).map_err(|()| unusable())?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| unusable())?;
    outgoing.set_authority(Some(authority)).map_err(|()| unusable())?;
    outgoing.set_path_with_query(Some(&request.path)).map_err(|()| unusable())?;

    let options = RequestOptions::new();
    let response_timeout = Some(u64::from(request.response_timeout_ms) * NANOSECONDS);
    // A host that cannot set a time-out has its own.
    let _ = options.set_connect_timeout(Some(u64::from(request.connect_timeout_ms) * NANOSECONDS));
    let _ = options.set_first_byte_timeout(response_timeout);
    let _ = options.set_between_bytes_timeout(response_timeout);

    Ok((outgoing, options))
}

fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), ()> {
    for piece in bytes.chunks(WRITE_BYTES) {
        stream.blocking_write_and_flush(piece).map_err(|_| ())?;
    }
    Ok(())
}

fn wait_for_all(started: &[Result<FutureIncomingResponse, TransportError>]) {
    let mut waiting: Vec<_> = started.iter().flatten().map(FutureIncomingResponse::subscribe).collect();
    while !waiting.is_empty() {
        let ready = poll::poll(&waiting.iter().collect::<Vec<_>>());
        let mut index = 0;
        waiting.retain(|_| {
            let is_ready = u32::try_from(index).is_ok_and(|index| ready.contains(&index));
            index += 1;
            !is_ready
        });
    }
}

fn arrived(answer: FutureIncomingResponse) -> Result<IncomingResponse, TransportError> {
    match answer.get() {
        Some(Ok(Ok(response))) => Ok(response),
        Some(Ok(Err(code))) => Err(failed(&code)),
        Some(Err(())) | None => Err(after_sending("answer-not-ready")),
    }
}

/// The answer without its body.
fn head(response: &IncomingResponse) -> Response {
    let status = response.status();
    let headers: Vec<(String, String)> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8(value).unwrap_or_default()))
        .collect();
    Response { status, headers, body: Vec::new() }
}

fn finish(answer: FutureIncomingResponse) -> Result<Response, TransportError> {
    let answer = arrived(answer)?;
    let response = Response { body: read(&answer)?, ..head(&answer) };
    let announced = response.header("content-length").and_then(|length| length.parse::<usize>().ok());
    // Hosts were seen to cut bodies without an error.
    if announced.is_some_and(|announced| announced != response.body.len()) {
        return Err(after_sending("body-incomplete"));
    }
    Ok(response)
}

fn read(response: &IncomingResponse) -> Result<Vec<u8>, TransportError> {
    let broken = |()| after_sending("body-unreadable");
    let body: IncomingBody = response.consume().map_err(broken)?;
    let stream = body.stream().map_err(broken)?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(after_sending("body-cut")),
        }
        if bytes.len() > MAX_BODY_BYTES {
            return Err(after_sending("body-too-large"));
        }
    }
}

fn before_sending(reason: &str) -> TransportError {
    TransportError { not_sent: true, denied: false, reason: reason.to_owned() }
}

fn after_sending(reason: &str) -> TransportError {
    TransportError { not_sent: false, denied: false, reason: reason.to_owned() }
}

/// What the host's code says about whether the request went out. Only codes that leave no doubt count as not sent.
fn failed(code: &ErrorCode) -> TransportError {
    use ErrorCode as E;
    match code {
        E::HttpRequestDenied => TransportError { denied: true, ..before_sending("request-denied-by-host") },
        E::DestinationIpProhibited => TransportError { denied: true, ..before_sending("address-denied-by-host") },
        E::DnsTimeout | E::DnsError(_) => before_sending("host-name-unknown"),
        E::DestinationNotFound | E::DestinationUnavailable | E::DestinationIpUnroutable => {
            before_sending("host-unreachable")
        }
        E::ConnectionRefused => before_sending("connection-refused"),
        E::ConnectionTimeout => before_sending("connection-timed-out"),
        E::ConnectionLimitReached => before_sending("connection-limit-of-host"),
        E::TlsProtocolError | E::TlsCertificateError | E::TlsAlertReceived(_) => before_sending("tls-failed"),
        E::HttpRequestUriInvalid | E::HttpRequestMethodInvalid | E::HttpRequestHeaderSize(_) => {
            before_sending("request-refused-by-host")
        }
        E::ConnectionTerminated => after_sending("connection-cut"),
        E::ConnectionReadTimeout | E::ConnectionWriteTimeout | E::HttpResponseTimeout => {
            after_sending("answer-timed-out")
        }
        E::HttpResponseIncomplete => after_sending("answer-cut"),
        E::HttpProtocolError => after_sending("protocol-error"),
        _ => after_sending("http-failed"),
    }
}
