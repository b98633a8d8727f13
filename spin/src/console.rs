//! The console: the admin's pages, and the session behind them.
//!
//! Pages are files of `console/`, inside the component. They call the same `/v1` as everybody else; a cookie stands for the token
//! there, and for whatever changes something a second text besides, which no other site can know (see [`Session`]).

use base64ct::{Base64UrlUnpadded, Encoding};
use freshworks_handoff::http::Http;
use freshworks_handoff::model::Timestamp;
use freshworks_handoff::session::digest;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::answer::{Answer, Call};
use crate::problem::{Problem, read};
use crate::secret::is_same;
use crate::service::Service;
use crate::state::State;

const PATH: &str = "/console";
const SESSION_PATH: &str = "/console/session";
const COOKIE: &str = "console";
/// A working day. Whoever has the cookie needs no token until then; another token ends every session at once.
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
const FILES: [(&str, &str, &str); 12] = [
    file!("index.html", "text/html"),
    file!("console.css", "text/css"),
    file!("icon.svg", "image/svg+xml"),
    file!("main.js", "text/javascript"),
    file!("api.js", "text/javascript"),
    file!("dom.js", "text/javascript"),
    file!("texts.js", "text/javascript"),
    file!("settings.js", "text/javascript"),
    file!("connect.js", "text/javascript"),
    file!("trial.js", "text/javascript"),
    file!("script.js", "text/javascript"),
    file!("watch.js", "text/javascript"),
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

/// Who has logged in. The cookie is `<end>.<random>.<signature>`, signed with the token of the API; the second text is made of
/// the cookie, and a page keeps it in its memory alone.
#[derive(Serialize)]
struct Session {
    /// Goes into the header `x-csrf-token` of every request but reading ones.
    csrf_token: String,
    /// When the cookie ends.
    expires_at: Timestamp,
}

impl<H: Http, S: State> Service<'_, H, S> {
    /// Pages, and the session behind them.
    pub(crate) fn console(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        match (call.method, call.path) {
            ("GET", PATH | "/console/") => Ok(file("index.html", call).ok_or_else(nothing)?),
            ("POST", SESSION_PATH) => self.log_in(call),
            ("GET", SESSION_PATH) => self.session(call).map(Answer::ok).ok_or_else(Problem::not_allowed),
            ("DELETE", SESSION_PATH) if self.is_from_console(call) => {
                Ok(Answer::empty().with("set-cookie", self.cookie("", 0)))
            }
            ("DELETE", SESSION_PATH) => Err(Problem::not_allowed()),
            ("GET", path) => {
                let name = path.strip_prefix("/console/").unwrap_or_default();
                file(name, call).ok_or_else(nothing)
            }
            _ => Err(nothing()),
        }
    }

    fn log_in(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let login: Login = read(call.body, "login")?;
        if !self.is_token(login.token.trim()) {
            return Err(Problem::not_allowed());
        }
        let ends = call.now.saturating_add(SESSION_MS);
        let text = format!("{ends}.{}", Base64UrlUnpadded::encode_string(&(self.draw)()));
        let value = format!("{text}.{}", self.sign("session", &text));
        let session = Session { csrf_token: self.sign("csrf", &value), expires_at: ends };
        Ok(Answer::ok(session).with("set-cookie", self.cookie(&value, SESSION_MS / 1000)))
    }

    fn cookie(&self, value: &str, seconds: u64) -> String {
        let secure = if self.public_url.starts_with("https://") { "; Secure" } else { "" };
        format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
    }

    /// The session whose cookie came.
    fn session(&self, call: &Call<'_>) -> Option<Session> {
        let cookies = call.headers.iter().filter(|(name, _)| name == "cookie").flat_map(|(_, value)| value.split(';'));
        let value = cookies.filter_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('=')).next()?;
        let (text, signature) = value.rsplit_once('.')?;
        let expires_at = text.split_once('.')?.0.parse().ok()?;
        let is_ours = !self.token.is_empty() && is_same(signature, &self.sign("session", text));
        (is_ours && call.now < expires_at).then(|| Session { csrf_token: self.sign("csrf", value), expires_at })
    }

    /// It comes from a page of the console: the cookie is there and, for whatever is no reading, the second text.
    pub(crate) fn is_from_console(&self, call: &Call<'_>) -> bool {
        let Some(session) = self.session(call) else { return false };
        let given = call.header(CSRF_HEADER).unwrap_or_default();
        call.method == "GET" || is_same(given, &session.csrf_token)
    }

    fn sign(&self, purpose: &str, text: &str) -> String {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.token.as_bytes()) else { return String::new() };
        mac.update(format!("console-{purpose}:{text}").as_bytes());
        Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes())
    }
}

fn nothing() -> Problem {
    Problem::new(404, "no-such-path", "there is nothing at this path").with_remedy("Open /console.")
}

fn file(name: &str, call: &Call<'_>) -> Option<Answer> {
    let (_, kind, text) = FILES.into_iter().find(|(known, ..)| *known == name)?;
    let tag = format!("\"{}\"", digest(&[text], 9));
    let mut answer = Answer::bytes(kind, text.as_bytes());
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
