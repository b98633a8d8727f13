use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks as _};

use super::resolver::Lookup;
use super::{Hook, HttpClient};
use crate::intercept::{After, Before, HttpErrorCode, Interceptor, Outgoing};
use crate::limits::{Allowance, OutOfTime};
use crate::report::{CallReport, Recorder};
use crate::{AllowList, CredentialInjector, Limits, Sandbox};

/// What the server does with a request.
#[derive(Clone, Copy)]
enum Reply {
    /// Sends these bytes and keeps the connection.
    Send(&'static str),
    /// Sends these bytes and closes the connection.
    SendAndClose(&'static str),
    /// Sends these bytes and then nothing more, with the connection open.
    SendAndHang(&'static str),
}

const OK: Reply = Reply::Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");

/// A server on a port of its own that ends with the test's runtime.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { address: listener.local_addr().unwrap(), connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (server.connections.clone(), server.requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, reply, requests.clone()));
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, requests: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        requests.lock().unwrap().push(request);
        let (Reply::Send(text) | Reply::SendAndClose(text) | Reply::SendAndHang(text)) = reply;
        stream.write_all(text.as_bytes()).await.unwrap();
        match reply {
            Reply::Send(_) => {}
            Reply::SendAndClose(_) => return,
            Reply::SendAndHang(_) => std::future::pending().await,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

/// What the plugin would see: status and body, or the error.
type Seen = Result<(u16, Vec<u8>), Error>;

/// A call without a plugin.
struct Caller {
    sandbox: Sandbox,
    recorder: Arc<Recorder>,
    stop: Arc<Notify>,
    out_of_time: OutOfTime,
    allowance: Arc<Allowance>,
}

impl Caller {
    fn allowing(server: &Server) -> Self {
        let mut allow = AllowList::none();
        allow.allow_internal(&server.url("")).unwrap();
        Self { sandbox: Sandbox::new(HttpClient::new().unwrap()).allow(allow), ..Self::idle() }
    }

    /// Reaches nothing.
    fn idle() -> Self {
        Self {
            sandbox: Sandbox::new(HttpClient::new().unwrap()),
            recorder: Arc::default(),
            stop: Arc::default(),
            out_of_time: OutOfTime::new(&wasmtime::Engine::default()),
            allowance: Arc::new(Allowance::new(&Limits::default())),
        }
    }

    fn with(mut self, change: impl FnOnce(Sandbox) -> Sandbox) -> Self {
        self.sandbox = change(self.sandbox);
        self.allowance = Arc::new(Allowance::new(&self.sandbox.limits));
        self
    }

    async fn send(&self, request: Request<&'static str>, options: Option<RequestOptions>) -> Seen {
        let mut hook = Hook {
            sandbox: self.sandbox.clone(),
            recorder: self.recorder.clone(),
            stop: self.stop.clone(),
            out_of_time: self.out_of_time.clone(),
            allowance: self.allowance.clone(),
        };
        let request = request
            .map(|body| -> WasiBody { Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync() });
        let (response, _) = Pin::from(hook.send_request(request, options, Box::new(async { Ok(()) }))).await?;
        let status = response.status().as_u16();
        Ok((status, response.into_body().collect().await?.to_bytes().to_vec()))
    }

    async fn get(&self, url: &str) -> Seen {
        self.send(Request::get(url).body("").unwrap(), None).await
    }

    fn report(&self) -> CallReport {
        self.recorder.finish(Duration::ZERO, Duration::ZERO)
    }
}

fn patience(milliseconds: u64) -> Option<RequestOptions> {
    let patience = Some(Duration::from_millis(milliseconds));
    Some(RequestOptions { connect_timeout: patience, first_byte_timeout: patience, between_bytes_timeout: patience })
}

#[tokio::test]
async fn a_request_is_sent_and_reported() {
    let server = Server::start(OK).await;
    let caller = Caller::allowing(&server);
    let request = Request::post(server.url("/v2/users?email=ana")).body("body").unwrap();
    assert_eq!(caller.send(request, None).await.unwrap(), (200, b"hello".to_vec()));
    let report = caller.report().http.remove(0);
    assert_eq!((report.method.as_str(), report.status, report.error), ("POST", Some(200), None));
    assert_eq!(report.url, server.url("/v2/users?email=*"));
    assert_eq!((report.bytes_out, report.bytes_in), (4, 5));
    assert!(server.requests()[0].starts_with("POST /v2/users?email=ana HTTP/1.1\r\n"));
    assert!(server.requests()[0].ends_with("\r\n\r\nbody"));
}

#[tokio::test]
async fn one_connection_serves_requests_in_turn() {
    let server = Server::start(OK).await;
    let caller = Caller::allowing(&server);
    for _ in 0..5 {
        caller.get(&server.url("/")).await.unwrap();
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn what_is_not_allowed_is_denied_before_a_connection() {
    let server = Server::start(OK).await;
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.allow(AllowList::none()));
    assert!(matches!(caller.get(&server.url("/")).await, Err(Error::HttpRequestDenied)));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
    assert_eq!(caller.report().http[0].error.as_deref(), Some("HTTP request denied"));
}

#[tokio::test]
async fn methods_that_echo_credentials_or_open_tunnels_are_denied_before_a_connection() {
    let server = Server::start(OK).await;
    let caller = Caller::allowing(&server);
    for method in ["TRACE", "CONNECT", "BREW"] {
        let request = Request::builder().method(method).uri(server.url("/")).body("").unwrap();
        assert!(matches!(caller.send(request, None).await, Err(Error::HttpRequestDenied)), "{method}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server =
        Server::start(Reply::Send("HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")).await;
    let caller = Caller::allowing(&server);
    assert_eq!(caller.get(&server.url("/")).await.unwrap().0, 302);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn the_hosts_credential_is_added() {
    let server = Server::start(OK).await;
    let mut credentials = CredentialInjector::none();
    credentials.add(&server.url(""), "authorization", "Bearer s3cret").unwrap();
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.credentials(credentials));
    caller.get(&server.url("/")).await.unwrap();
    assert!(server.requests()[0].contains("authorization: Bearer s3cret\r\n"));
    assert!(!format!("{:?} {:?}", caller.report(), caller.sandbox).contains("s3cret"));
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    let server = Server::start(OK).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut allow = AllowList::none();
    allow.allow_internal(&url).unwrap();
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.allow(allow));
    assert!(matches!(caller.get(&url).await, Err(Error::ConnectionRefused)));
}

#[tokio::test]
async fn a_connection_that_is_not_tls_is_a_failed_connection() {
    let server = Server::start(Reply::SendAndClose("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let url = format!("https://{}", server.address);
    let mut allow = AllowList::none();
    allow.allow_internal(&url).unwrap();
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.allow(allow));
    // The server waits for the end of an HTTP head in the client's hello, so the plugin's patience ends it.
    let request = Request::get(&url).body("").unwrap();
    assert!(matches!(caller.send(request, patience(50)).await, Err(Error::ConnectionTimeout)));
    assert_eq!(server.requests(), [""; 0]);
}

#[tokio::test]
async fn the_plugins_patience_for_the_first_byte_is_kept() {
    let server = Server::start(Reply::SendAndHang("")).await;
    let caller = Caller::allowing(&server);
    let seen = caller.send(Request::get(server.url("/")).body("").unwrap(), patience(50)).await;
    assert!(matches!(seen, Err(Error::ConnectionReadTimeout)), "{seen:?}");
}

#[tokio::test]
async fn the_plugins_patience_between_bytes_is_kept() {
    let server = Server::start(Reply::SendAndHang("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")).await;
    let caller = Caller::allowing(&server);
    let seen = caller.send(Request::get(server.url("/")).body("").unwrap(), patience(50)).await;
    assert!(matches!(seen, Err(Error::ConnectionReadTimeout)), "{seen:?}");
    let report = caller.report().http.remove(0);
    assert_eq!((report.status, report.bytes_in), (Some(200), 4));
    assert!(report.error.is_some());
}

#[tokio::test]
async fn a_connection_closed_without_a_response_has_an_unknown_outcome() {
    let server = Server::start(Reply::SendAndClose("")).await;
    let caller = Caller::allowing(&server);
    let seen = caller.send(Request::post(server.url("/")).body("x").unwrap(), None).await;
    assert!(matches!(seen, Err(Error::ConnectionTerminated)), "{seen:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_incomplete() {
    let server = Server::start(Reply::SendAndClose("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")).await;
    let caller = Caller::allowing(&server);
    let seen = caller.get(&server.url("/")).await;
    assert!(matches!(seen, Err(Error::HttpResponseIncomplete)), "{seen:?}");
}

#[tokio::test]
async fn garbage_is_a_protocol_error() {
    let server = Server::start(Reply::SendAndClose("no HTTP at all\r\n\r\n")).await;
    let caller = Caller::allowing(&server);
    let seen = caller.get(&server.url("/")).await;
    assert!(matches!(seen, Err(Error::HttpProtocolError)), "{seen:?}");
}

#[tokio::test]
async fn a_response_above_the_limit_is_cut() {
    let server = Server::start(OK).await;
    let limits = |bytes| Limits { max_response_bytes: bytes, ..Limits::default() };
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.limits(limits(4)));
    assert!(matches!(caller.get(&server.url("/")).await, Err(Error::HttpResponseBodySize(Some(4)))));
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.limits(limits(5)));
    assert!(caller.get(&server.url("/")).await.is_ok());
}

#[tokio::test]
async fn requests_above_the_limit_are_denied_before_a_connection() {
    let server = Server::start(OK).await;
    let limits = Limits { max_requests: 2, ..Limits::default() };
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.limits(limits));
    for _ in 0..2 {
        assert!(caller.get(&server.url("/")).await.is_ok());
    }
    assert!(matches!(caller.get(&server.url("/")).await, Err(Error::HttpRequestDenied)));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn all_bodies_of_a_call_count_together() {
    let server = Server::start(OK).await;
    let limits = |bytes| Limits { max_total_bytes: bytes, ..Limits::default() };
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.limits(limits(14)));
    // Four bytes out and five back, then five more: one byte short of twice the same.
    let post = || Request::post(server.url("/")).body("body").unwrap();
    assert!(caller.send(post(), None).await.is_ok());
    assert!(matches!(caller.get(&server.url("/")).await, Ok((200, _))));
    assert!(matches!(caller.send(post(), None).await, Err(Error::HttpRequestBodySize(_))));
    assert!(matches!(caller.get(&server.url("/")).await, Err(Error::HttpResponseBodySize(_))));
}

/// Counts connections on every address of this machine.
async fn everywhere() -> (u16, Arc<AtomicUsize>) {
    // Takes IPv4, too, where the machine has both; some containers have no IPv6.
    let listener = match TcpListener::bind("[::]:0").await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("0.0.0.0:0").await.unwrap(),
    };
    let (port, connections) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let count = connections.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream, OK, Arc::default()));
        }
    });
    (port, connections)
}

/// Hosts of the list that must not be reached, and some that only a URL can hold.
fn internal_hosts() -> Vec<String> {
    let list = include_str!("../../../../fixtures/addresses/hosts.txt").lines();
    let listed = list.filter_map(|line| line.strip_prefix("internal ")).map(str::to_owned);
    listed.chain(["acme.freshchat.com@127.0.0.1".to_owned(), "127.0.0.1:1@127.0.0.1".to_owned()]).collect()
}

#[tokio::test]
async fn no_internal_address_is_connected_to_without_the_operator() {
    let (port, connections) = everywhere().await;
    let client = HttpClient::new().unwrap();
    for host in internal_hosts() {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let mut allow = AllowList::none();
            // A tenant wrote it, `describe` says it, and a careless host allows what it can.
            let _ = allow.allow(url.trim_end_matches('/'));
            let caller = Caller { sandbox: Sandbox::new(client.clone()).allow(allow), ..Caller::idle() };
            let Ok(request) = Request::get(&url).body("") else { continue };
            let seen = caller.send(request, patience(2_000)).await;
            assert!(seen.is_err(), "{url}: {seen:?}");
            assert_eq!(connections.load(Ordering::SeqCst), 0, "{url}: {seen:?}");
        }
    }

    // The listener is there, and the operator's word opens the way.
    let url = format!("http://127.0.0.1:{port}");
    let mut allow = AllowList::none();
    allow.allow_internal(&url).unwrap();
    let caller = Caller { sandbox: Sandbox::new(client).allow(allow), ..Caller::idle() };
    assert!(caller.get(&url).await.is_ok());
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_address_that_is_connected_to_is_looked_at_whatever_the_list_says() {
    use super::resolver::Reach;
    let (port, connections) = everywhere().await;
    // A name that its owner has pointed inside since it was allowed.
    let lookup: Lookup = Arc::new(move |_| Ok(vec![([127, 0, 0, 1], port).into(), ([10, 0, 0, 1], port).into()]));
    let client = HttpClient::with_lookup(&lookup).unwrap();
    let send = async |host: &str, reach| {
        let body: WasiBody = Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync();
        let request = Request::get(format!("http://{host}:{port}/")).body(body).unwrap();
        client.send(request, reach, &patience(2_000).unwrap()).await.map(drop)
    };
    for host in ["rebound.example", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"] {
        let seen = send(host, Reach::Internet).await;
        assert!(matches!(seen, Err(Error::DestinationIpProhibited)), "{host}: {seen:?}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert!(send("rebound.example", Reach::Internal).await.is_ok());
    // A connection that the operator's word opened is not lent to anybody else.
    let seen = send("rebound.example", Reach::Internet).await;
    assert!(matches!(seen, Err(Error::DestinationIpProhibited)), "{seen:?}");
}

/// Does what it is told at each place, and counts.
#[derive(Default)]
struct Script {
    before: Mutex<BTreeMap<usize, Before>>,
    after: Mutex<BTreeMap<usize, After>>,
    asked: AtomicUsize,
}

impl Interceptor for Script {
    fn before(&self, request: Outgoing<'_>) -> Before {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.before.lock().unwrap().remove(&request.index).unwrap_or(Before::Send)
    }

    fn after(&self, request: Outgoing<'_>, status: u16) -> After {
        assert_ne!(status, 0);
        self.after.lock().unwrap().remove(&request.index).unwrap_or(After::Pass)
    }
}

fn scripted(server: &Server, script: Script) -> Caller {
    Caller::allowing(server).with(|sandbox| sandbox.interceptor(Arc::new(script)))
}

#[tokio::test]
async fn a_request_can_be_failed_before_it_takes_effect() {
    let server = Server::start(OK).await;
    let script = Script {
        before: Mutex::new([(1, Before::Fail(HttpErrorCode::ConnectionRefused))].into()),
        ..Script::default()
    };
    let caller = scripted(&server, script);
    assert!(caller.get(&server.url("/0")).await.is_ok());
    assert!(matches!(caller.get(&server.url("/1")).await, Err(Error::ConnectionRefused)));
    assert!(caller.get(&server.url("/2")).await.is_ok());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_request_can_be_failed_after_it_took_effect() {
    let server = Server::start(OK).await;
    let script = Script {
        after: Mutex::new([(0, After::Fail(HttpErrorCode::ConnectionReadTimeout))].into()),
        ..Script::default()
    };
    let caller = scripted(&server, script);
    assert!(matches!(caller.get(&server.url("/")).await, Err(Error::ConnectionReadTimeout)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_response_body_can_be_cut() {
    let server = Server::start(OK).await;
    let script = Script { after: Mutex::new([(0, After::CutBody)].into()), ..Script::default() };
    let caller = scripted(&server, script);
    assert!(matches!(caller.get(&server.url("/")).await, Err(Error::HttpResponseIncomplete)));
    assert_eq!(caller.report().http[0].status, Some(200));
}

#[tokio::test]
async fn a_request_can_be_answered_in_place_of_the_server() {
    let server = Server::start(OK).await;
    let answer = Response::builder().status(429).body(Bytes::from_static(b"slow")).unwrap();
    let script = Script { before: Mutex::new([(0, Before::Answer(answer))].into()), ..Script::default() };
    let caller = scripted(&server, script);
    assert_eq!(caller.get(&server.url("/")).await.unwrap(), (429, b"slow".to_vec()));
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn the_plugin_can_be_stopped_before_and_after_a_request_takes_effect() {
    for (script, requests) in [
        (Script { before: Mutex::new([(0, Before::Trap)].into()), ..Script::default() }, 0),
        (Script { after: Mutex::new([(0, After::Trap)].into()), ..Script::default() }, 1),
    ] {
        let server = Server::start(OK).await;
        let caller = scripted(&server, script);
        let url = server.url("/");
        tokio::select! {
            biased;
            () = caller.stop.notified() => {}
            seen = caller.get(&url) => panic!("the plugin saw {seen:?}"),
        }
        assert_eq!(server.requests().len(), requests);
    }
}

#[tokio::test]
async fn the_interceptor_is_not_asked_about_denied_requests() {
    let server = Server::start(OK).await;
    let script = Arc::new(Script::default());
    let caller = Caller::allowing(&server).with(|sandbox| sandbox.interceptor(script.clone()));
    assert!(caller.get("https://elsewhere.example/").await.is_err());
    assert_eq!(script.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_can_be_another_one_after_the_effect() {
    let server = Server::start(OK).await;
    let answer = Response::builder().status(201).body(Bytes::from_static(b"instead")).unwrap();
    let script = Script { after: Mutex::new([(0, After::Answer(answer))].into()), ..Script::default() };
    let caller = scripted(&server, script);
    assert_eq!(caller.get(&server.url("/")).await.unwrap(), (201, b"instead".to_vec()));
}

#[tokio::test]
async fn time_can_end_at_a_request() {
    let server = Server::start(OK).await;
    for script in [
        Script { before: Mutex::new([(0, Before::OutOfTime)].into()), ..Script::default() },
        Script { after: Mutex::new([(0, After::OutOfTime)].into()), ..Script::default() },
    ] {
        let caller = scripted(&server, script);
        assert!(!caller.out_of_time.is_ended());
        let _ = caller.get(&server.url("/")).await;
        assert!(caller.out_of_time.is_ended());
    }
}
