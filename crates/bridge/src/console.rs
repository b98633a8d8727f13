//! The console: the admin's pages, and the session behind them.
//!
//! Pages are files of `console/`, inside the component. They call the same `/v1` as everybody else; a cookie stands for the token
//! there, and for whatever changes something a second text besides, which no other site can know (see [`Session`]).

use base64ct::{Base64UrlUnpadded, Encoding};
use freshworks_handoff::conversation::session::digest;
use handoff_contract::model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::secret::is_same;
use crate::access::{Caller, Scope};
use crate::http::problem::{Problem, read};
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::service::Service;
use crate::state::Record;

const PATH: &str = "/console";
const SESSION_PATH: &str = "/console/session";
/// The kind of its records.
pub(crate) const SESSION: &str = "session";
/// A working day. Whoever has the cookie needs no token until then; sessions end with the token that they were begun with.
const SESSION_MS: u64 = 8 * 60 * 60 * 1000;
/// What a page sends besides the cookie.
const CSRF_HEADER: &str = "x-csrf-token";

/// Nothing but our own files; no script and no style inside of pages; nobody may put a page into another one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

macro_rules! file {
    ($name:literal, $kind:literal) => {
        ($name, concat!($kind, "; charset=utf-8"), include_str!(concat!("../console/", $name)))
    };
}

/// Name, media type and text of each file.
const FILES: [(&str, &str, &str); 18] = [
    file!("index.html", "text/html"),
    file!("console.css", "text/css"),
    file!("icon.svg", "image/svg+xml"),
    file!("main.js", "text/javascript"),
    file!("api.js", "text/javascript"),
    file!("dom.js", "text/javascript"),
    file!("texts.js", "text/javascript"),
    file!("overview.js", "text/javascript"),
    file!("status.js", "text/javascript"),
    file!("settings.js", "text/javascript"),
    file!("pickers.js", "text/javascript"),
    file!("drawings.js", "text/javascript"),
    file!("connect.js", "text/javascript"),
    file!("trial.js", "text/javascript"),
    file!("script.js", "text/javascript"),
    file!("watch.js", "text/javascript"),
    file!("deliveries.js", "text/javascript"),
    file!("access.js", "text/javascript"),
];

/// True for what belongs to the console.
pub(crate) fn is_page(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What `POST /console/session` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
}

/// Who has logged in. The cookie is 24 random bytes, of which the store keeps a digest, so that logging out ends it; the second text
/// is made of the cookie, and a page keeps it in its memory alone.
#[derive(Serialize)]
struct Session {
    /// Goes into the header `x-csrf-token` of every request but reading ones.
    csrf_token: String,
    /// When the cookie ends.
    expires_at: Timestamp,
    /// What the token may be used for.
    scopes: Vec<Scope>,
    #[serde(skip)]
    caller: Caller,
    /// The name of its record.
    #[serde(skip)]
    name: String,
}

impl Service<'_> {
    /// Pages, and the session behind them.
    pub(crate) fn console(&self, call: &IncomingRequest<'_>) -> Result<OutgoingResponse, Problem> {
        match (call.method, call.path) {
            ("GET", PATH | "/console/") => Ok(file("index.html", call).ok_or_else(nothing)?),
            ("POST", SESSION_PATH) => self.log_in(call),
            ("GET", SESSION_PATH) => self.session(call).map(OutgoingResponse::ok),
            ("DELETE", SESSION_PATH) => self.log_out(call),
            ("GET", path) => {
                let name = path.strip_prefix("/console/").unwrap_or_default();
                file(name, call).ok_or_else(nothing)
            }
            _ => Err(nothing()),
        }
    }

    fn log_in(&self, call: &IncomingRequest<'_>) -> Result<OutgoingResponse, Problem> {
        let login: Login = read(call.body, "login")?;
        let caller = self.holder_of(login.token.trim(), call)?;
        let expires_at = call.now.saturating_add(SESSION_MS);
        let cookie = Base64UrlUnpadded::encode_string(&(self.draw)());
        let name = session_name(&cookie);
        let record = Record { name: name.clone(), value: caller.token().to_owned(), expires_at };
        self.state.put_record(SESSION, &record, call.now, false)?;
        self.audit(caller.name(), "logged-in", None, String::new());
        let session = Session::of(&cookie, caller, expires_at);
        Ok(OutgoingResponse::ok(session).with("set-cookie", self.cookie(call, &cookie, SESSION_MS / 1000)))
    }

    fn log_out(&self, call: &IncomingRequest<'_>) -> Result<OutgoingResponse, Problem> {
        let session = self.session(call)?;
        if !session.is_own_page(call) {
            return Err(Problem::not_allowed());
        }
        self.state.remove_record(SESSION, &session.name)?;
        self.audit(session.caller.name(), "logged-out", None, String::new());
        Ok(OutgoingResponse::empty().with("set-cookie", self.cookie(call, "", 0)))
    }

    /// Whether browsers get here without TLS, and nobody can listen.
    fn is_on_loopback(&self, call: &IncomingRequest<'_>) -> bool {
        let host = match self.public_url.split_once("://") {
            Some((_, rest)) => rest.split('/').next().unwrap_or_default(),
            None => call.header("host").unwrap_or_default(),
        };
        let is_https = self.public_url.starts_with("https://");
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name);
        let is_loopback = |name: &str| {
            let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        !is_https && is_loopback(name)
    }

    /// A browser takes a name that begins with `__Host-` from this host alone, with `Secure` alone, and for all paths.
    fn cookie_name(&self, call: &IncomingRequest<'_>) -> &'static str {
        if self.is_on_loopback(call) { "console" } else { "__Host-console" }
    }

    fn cookie(&self, call: &IncomingRequest<'_>, value: &str, seconds: u64) -> String {
        let secure = if self.is_on_loopback(call) { "" } else { "; Secure" };
        let name = self.cookie_name(call);
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }

    /// The session whose cookie came, as long as its token is good.
    fn session(&self, call: &IncomingRequest<'_>) -> Result<Session, Problem> {
        let cookies = call.headers.iter().filter(|(name, _)| name == "cookie").flat_map(|(_, value)| value.split(';'));
        let own = self.cookie_name(call);
        let mut values = cookies.filter_map(|one| one.trim().strip_prefix(own)?.strip_prefix('='));
        let cookie = values.next().filter(|value| !value.is_empty()).ok_or_else(Problem::not_allowed)?;
        let record = self.state.record(SESSION, &session_name(cookie), call.now)?.ok_or_else(Problem::not_allowed)?;
        let caller = self.holder_by_id(&record.value, call.now)?.ok_or_else(Problem::not_allowed)?;
        Ok(Session::of(cookie, caller, record.expires_at))
    }

    /// Who calls from a page of the console: the cookie is there and, for whatever is no reading, the second text.
    pub(crate) fn caller_from_console(&self, call: &IncomingRequest<'_>) -> Result<Caller, Problem> {
        let session = self.session(call)?;
        if call.method == "GET" || session.is_own_page(call) { Ok(session.caller) } else { Err(Problem::not_allowed()) }
    }
}

impl Session {
    fn of(cookie: &str, caller: Caller, expires_at: Timestamp) -> Self {
        let csrf_token = digest(&["console-csrf", cookie], 24);
        let scopes = caller.scopes().to_vec();
        Self { csrf_token, expires_at, scopes, caller, name: session_name(cookie) }
    }

    fn is_own_page(&self, call: &IncomingRequest<'_>) -> bool {
        is_same(call.header(CSRF_HEADER).unwrap_or_default(), &self.csrf_token)
    }
}

fn session_name(cookie: &str) -> String {
    digest(&["console-session", cookie], 16)
}

fn nothing() -> Problem {
    Problem::new(404, "no-such-path", "there is nothing at this path").with_remedy("Open /console.")
}

fn file(name: &str, call: &IncomingRequest<'_>) -> Option<OutgoingResponse> {
    let (_, kind, text) = FILES.into_iter().find(|(known, ..)| *known == name)?;
    let tag = format!("\"{}\"", digest(&[text], 9));
    let mut answer = OutgoingResponse::bytes(kind, text.as_bytes());
    if call.header("if-none-match") == Some(&tag) {
        (answer.status, answer.body) = (304, None);
    }
    // Asked for anew each time, which costs little: a page and its scripts always fit together.
    let headers = [("cache-control", "no-cache"), ("etag", &tag), ("content-security-policy", POLICY)];
    let more = [("referrer-policy", "no-referrer"), ("cross-origin-opener-policy", "same-origin")];
    Some(headers.into_iter().chain(more).fold(answer, |answer, (name, value)| answer.with(name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_the_console_is_of_the_console() {
        assert!(["/console", "/console/", "/console/main.js"].into_iter().all(is_page));
        assert!(!["/consoles", "/v1/console", "/", ""].into_iter().any(is_page));
    }

    #[test]
    fn pages_hold_no_script_no_style_and_no_address_of_elsewhere() {
        for (name, _, text) in FILES {
            for forbidden in ["<script>", "<style", " style=", " onclick", "innerHTML", "http://", "//cdn"] {
                let text = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!text.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }
}
