//! Who calls, and what they may do.
//!
//! It is decided in one place, once, before the body is read: `Service::admit` makes an [`Admitted`] of a request, and nothing is
//! carried out without one. Each [operation](crate::http::operations) says what it needs; a tenant's token reaches its own connection,
//! and for every other one, whether there is one of that name or not, the answer is the same.
//!
//! A token is 24 random bytes, so the store keeps nothing but a digest of it. The variable `api_token` is the first admin.

pub mod audit;
pub mod destinations;
pub mod people;
pub mod secret;
pub mod vault;

use std::net::{IpAddr, SocketAddr};

use base64ct::{Base64UrlUnpadded, Encoding};
use freshworks_handoff::conversation::session::digest;
use handoff_contract::model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::secret::is_same;
use crate::console;
use crate::http::problem::{Problem, read};
use crate::http::responses::{CreatedTokenResponse, TokenResponse, TokensResponse};
use crate::http::route::{self, Found, is_id};
use crate::http::{IncomingRequest, OutgoingResponse};
use crate::service::{Service, no_route};
use crate::state::{Connection, NEVER, Record, StateError};

/// Characters that the variable `api_token` has at least: 24 of base64 are 18 random bytes.
pub const MIN_TOKEN: usize = 24;
/// Tokens that there may be.
const MAX_TOKENS: u32 = 1_000;
/// Every token of ours begins so: scanners find it where it does not belong.
const TOKEN_PREFIX: &str = "fwh_";
/// Kinds of records.
pub(crate) const TOKEN: &str = "token";
pub(crate) const ATTEMPT: &str = "attempt";
pub(crate) const REFUSED: &str = "refused";
/// Wrong tokens are counted for so long, and an address that has sent too many is refused for so long.
const WINDOW_MS: u64 = 5 * 60 * 1000;
/// Wrong tokens that one address may send meanwhile.
const MAX_WRONG: u64 = 20;
/// Wrong tokens from everywhere after which each address may send fewer.
const MAX_WRONG_IN_ALL: u64 = 1_000;
/// So many.
const FEWER_WRONG: u64 = 3;
/// How long an answer to a wrong token waits where addresses cannot be told apart.
const SLOW_MS: u64 = 500;

/// What a token may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Everything.
    Admin,
    /// Everything about one connection, and nothing about another.
    Connection(String),
    /// Reading the metrics of all connections.
    Metrics,
    /// Calling `POST /v1/tick`.
    Tick,
}

impl TryFrom<String> for Scope {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match (text.as_str(), text.strip_prefix("connection:")) {
            ("admin", _) => Ok(Self::Admin),
            ("metrics", _) => Ok(Self::Metrics),
            ("tick", _) => Ok(Self::Tick),
            (_, Some(id)) if is_id(id) => Ok(Self::Connection(id.to_owned())),
            _ => Err("a scope is admin, metrics, tick or connection:<name>"),
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Admin => "admin".to_owned(),
            Scope::Connection(id) => format!("connection:{id}"),
            Scope::Metrics => "metrics".to_owned(),
            Scope::Tick => "tick".to_owned(),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Scope {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(admin|metrics|tick|connection:[A-Za-z0-9_-]{1,64})$",
            "description": "What a token may be used for: `admin` for everything, `connection:<name>` for everything about one connection and \
                            nothing about another, `metrics` for `/metrics`, `tick` for `/v1/tick`.",
        })
    }
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever knows the connection's secret, which is the last name in the path.
    PathSecret,
    /// Whoever knows the secret of the connection's ticket desk, which is in a header.
    HeaderSecret,
    /// Whoever has a token. What it shows depends on the token.
    Token,
    /// Whoever reads metrics.
    Metrics,
    /// The timer.
    Tick,
    /// An admin.
    Admin,
    /// Whoever may use the connection that the path names first.
    Connection,
    /// Whoever may use the connection that the query names; without one, an admin.
    Person,
}

impl Access {
    /// What a request needs whose path has this name first.
    pub fn need<'a>(self, name: &'a str, query: &'a str) -> Need<'a> {
        match self {
            Self::Open | Self::PathSecret | Self::HeaderSecret => Need::Nothing,
            Self::Token => Need::Token,
            Self::Metrics => Need::Metrics,
            Self::Tick => Need::Tick,
            Self::Admin => Need::Admin,
            Self::Connection => Need::Connection(name),
            Self::Person => people::need(query),
        }
    }

    /// No token is needed.
    #[cfg(all(feature = "schema", not(target_family = "wasm")))]
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::PathSecret | Self::HeaderSecret)
    }
}

/// What a request needs of whoever sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need<'a> {
    /// No token: either everybody may see it, or it has a secret of its own.
    Nothing,
    /// Any token. What it shows depends on the token.
    Token,
    /// The connection of this name.
    Connection(&'a str),
    /// Metrics.
    Metrics,
    /// The timer.
    Tick,
    /// Everything.
    Admin,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name of the token, for the audit log.
    name: String,
    /// Names the token, for sessions. Says nothing about its text.
    token: String,
    scopes: Vec<Scope>,
}

impl Caller {
    /// Whoever needs no token.
    fn stranger() -> Self {
        Self { name: "nobody".to_owned(), token: String::new(), scopes: Vec::new() }
    }

    /// The name of the token.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it may be used for.
    pub(crate) fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Names the token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether the scopes cover a need.
    pub fn may(&self, need: Need<'_>) -> bool {
        self.scopes.iter().any(|scope| match (scope, need) {
            (Scope::Admin, _) | (_, Need::Nothing | Need::Token) => true,
            (Scope::Connection(own), Need::Connection(id)) => own == id,
            (Scope::Metrics, Need::Metrics) | (Scope::Tick, Need::Tick) => true,
            _ => false,
        })
    }
}

/// A request that may be carried out. Nothing but `Service::admit` makes one.
pub struct Admitted<'a>(Target<'a>);

/// What is asked for.
pub(crate) enum Target<'a> {
    /// The console's pages and sessions, which have their own check.
    Page,
    /// Whoever types the bridge's address wants its pages.
    Home,
    /// An operation.
    Operation {
        /// Which, on what.
        found: Found<'a>,
        /// Who calls.
        caller: Caller,
        /// Whom a webhook is for.
        addressed: Option<Box<Connection>>,
    },
}

impl<'a> Admitted<'a> {
    /// What is asked for, and by whom.
    pub(crate) fn into_target(self) -> Target<'a> {
        self.0
    }
}

/// What `POST /v1/tokens` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenBody {
    /// What it is called in lists and in the audit log: letters, digits, hyphens and underscores.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$")))]
    pub name: String,
    /// What it may be used for.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 50)))]
    pub scopes: Vec<Scope>,
    /// When it ends; without it, when it is revoked.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A token, as it is stored. Its id is the record's name.
#[derive(Serialize, Deserialize)]
struct StoredToken {
    name: String,
    scopes: Vec<Scope>,
    created_at: Timestamp,
    /// Of the whole token.
    digest: String,
}

/// A digest of a token: with 192 random bits behind it, nobody finds the token.
fn token_digest(token: &str) -> String {
    digest(&["token", token], 32)
}

/// The part of a digest that names the token.
fn id_of(digest: &str) -> String {
    digest.chars().take(16).collect()
}

fn shown(record: &Record, stored: StoredToken) -> TokenResponse {
    TokenResponse {
        id: record.name.clone(),
        name: stored.name,
        scopes: stored.scopes,
        created_at: stored.created_at,
        expires_at: Some(record.expires_at).filter(|at| *at != NEVER),
    }
}

/// Spin says the other end of the TCP connection in `spin-client-addr`, behind all headers that the client has sent, under whatever
/// name (`prepare_request_headers` in its `trigger-http`): the last one of that name is its own, any before may be forged. Behind a
/// proxy it is the proxy's; then the operator names a header that the proxy sets, of which the last part counts.
fn address(headers: &[(String, String)], named: &str) -> Option<IpAddr> {
    let last = |wanted: &str| headers.iter().rfind(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    if named.is_empty() {
        let address = last("spin-client-addr")?.parse::<SocketAddr>().ok()?.ip().to_canonical();
        // A proxy, most likely, and with it everybody.
        return Some(address).filter(|address| !is_near(*address));
    }
    let part = last(named)?.rsplit(',').next()?.trim();
    let with_port = || part.parse::<SocketAddr>().ok().map(|address| address.ip());
    part.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

/// Loopback, private or link-local.
fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
        }
    }
}

/// One of these has one host, or one customer of a network.
fn place_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [one, two, three, four, ..] = address.segments();
            format!("{one:x}:{two:x}:{three:x}:{four:x}::")
        }
    }
}

impl Service<'_> {
    /// Says whether a request may be carried out. Who may not learns nothing: not even which paths there are.
    ///
    /// # Errors
    ///
    /// What to [answer](Service::refusal) instead of carrying it out.
    pub fn admit<'a>(&self, call: &IncomingRequest<'a>) -> Result<Admitted<'a>, Problem> {
        if console::is_page(call.path) {
            return Ok(Admitted(Target::Page));
        }
        if call.method == "GET" && call.path == "/" {
            return Ok(Admitted(Target::Home));
        }
        let found = route::find(call.method, call.path);
        if let Ok(found) = found {
            let [name, secret] = found.names;
            let addressed = match found.operation.access {
                Access::Open => Some(None),
                Access::PathSecret => Some(Some(Box::new(self.addressed(name, secret)?))),
                Access::HeaderSecret => Some(Some(Box::new(self.addressed_by_header(name, call)?))),
                _ => None,
            };
            if let Some(addressed) = addressed {
                return Ok(Admitted(Target::Operation { found, caller: Caller::stranger(), addressed }));
            }
        }
        let caller = self.caller(call)?;
        let found = found.map_err(no_route)?;
        if !caller.may(found.operation.access.need(found.names[0], call.query)) {
            return Err(Problem::not_permitted());
        }
        Ok(Admitted(Target::Operation { found, caller, addressed: None }))
    }

    fn caller(&self, call: &IncomingRequest<'_>) -> Result<Caller, Problem> {
        let given = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match given.filter(|token| !token.is_empty()) {
            Some(token) => self.holder_of(token, call),
            None => self.caller_from_console(call),
        }
    }

    /// Whose token this is. Guessing is slowed.
    pub(crate) fn holder_of(&self, token: &str, call: &IncomingRequest<'_>) -> Result<Caller, Problem> {
        let place = address(&call.headers, &self.policy.address_header).map(place_of);
        if let Some(place) = &place
            && let Some(refused) = self.state.record(REFUSED, place, call.now)?
        {
            let wait = refused.expires_at.saturating_sub(call.now);
            return Err(Problem::new(429, "slow-down", "too many wrong tokens came from this address")
                .with_remedy("Wait, and use the right token.")
                .after(wait));
        }
        if let Some(first) = self.first_token()
            && is_same(token, first)
        {
            return Ok(self.first_caller());
        }
        let digest = token_digest(token);
        let stored = if token.starts_with(TOKEN_PREFIX) { self.stored_token(&id_of(&digest), call.now)? } else { None };
        match stored.filter(|(_, stored)| is_same(&digest, &stored.digest)) {
            Some((record, stored)) => Ok(Caller { name: stored.name, token: record.name, scopes: stored.scopes }),
            None => {
                if let Err(error) = self.wrong_token(place.as_deref(), call.now) {
                    self.warn("", "", &format!("a wrong token was not counted: {}", error.0));
                }
                Err(Problem::not_allowed())
            }
        }
    }

    /// Whose token is called so, as long as it is good.
    pub(crate) fn holder_by_id(&self, id: &str, now: Timestamp) -> Result<Option<Caller>, StateError> {
        let first = self.first_caller();
        if self.first_token().is_some() && is_same(id, &first.token) {
            return Ok(Some(first));
        }
        let stored = self.stored_token(id, now)?;
        Ok(stored.map(|(record, stored)| Caller { name: stored.name, token: record.name, scopes: stored.scopes }))
    }

    fn stored_token(&self, id: &str, now: Timestamp) -> Result<Option<(Record, StoredToken)>, StateError> {
        let record = self.state.record(TOKEN, id, now)?;
        // What cannot be read lets nobody in.
        Ok(record.and_then(|record| Some((record.clone(), serde_json::from_str(&record.value).ok()?))))
    }

    /// The variable `api_token`, if it is long enough.
    pub(crate) fn first_token(&self) -> Option<&str> {
        Some(self.token).filter(|token| token.chars().count() >= MIN_TOKEN)
    }

    fn first_caller(&self) -> Caller {
        let token = format!("first-{}", digest(&["first-token", self.token], 8));
        Caller { name: "api_token".to_owned(), token, scopes: vec![Scope::Admin] }
    }

    /// Counts a wrong token. `place`: where it came from, if that can be told.
    fn wrong_token(&self, place: Option<&str>, now: Timestamp) -> Result<(), StateError> {
        let ends = now.saturating_add(WINDOW_MS);
        let in_all = self.state.count_up(ATTEMPT, "all", now, ends)?;
        let Some(place) = place else {
            // Nobody can be shut out without shutting out everybody.
            if in_all > MAX_WRONG {
                (self.pause)(SLOW_MS);
            }
            return Ok(());
        };
        let wrong = self.state.count_up(ATTEMPT, place, now, ends)?;
        let most = if in_all > MAX_WRONG_IN_ALL { FEWER_WRONG } else { MAX_WRONG };
        if wrong >= most {
            let refused = Record { name: place.to_owned(), value: String::new(), expires_at: ends };
            self.state.put_record(REFUSED, &refused, now, false)?;
            self.warn("", "", &format!("{place} has sent {wrong} wrong tokens, and is refused for some minutes"));
            self.audit("nobody", "address-refused", None, format!("{place}: {wrong} wrong tokens"));
        }
        Ok(())
    }

    pub(crate) fn tokens(&self, now: Timestamp) -> Result<OutgoingResponse, Problem> {
        let read = |record: Record| Some(shown(&record, serde_json::from_str(&record.value).ok()?));
        let mut tokens: Vec<TokenResponse> =
            self.state.records(TOKEN, now, MAX_TOKENS)?.into_iter().filter_map(read).collect();
        tokens.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        Ok(OutgoingResponse::ok(TokensResponse { tokens }))
    }

    pub(crate) fn create_token(
        &self,
        caller: &Caller,
        call: &IncomingRequest<'_>,
    ) -> Result<OutgoingResponse, Problem> {
        let body: TokenBody = read(call.body, "token")?;
        let wrong = |field: &str, detail: &str, remedy: &str| {
            Err(Problem::new(400, "invalid-request", detail).at(format!("token.{field}")).with_remedy(remedy))
        };
        if !is_id(&body.name) {
            return wrong("name", "invalid name", "Use 1 to 64 letters, digits, hyphens and underscores.");
        }
        if body.scopes.is_empty() || body.scopes.len() > 50 {
            return wrong("scopes", "a token has 1 to 50 scopes", "Name what the token may be used for.");
        }
        if body.expires_at.is_some_and(|at| at <= call.now) {
            return wrong("expires_at", "that is over already", "Pass milliseconds since 1970, or leave it out.");
        }
        if self.state.records(TOKEN, call.now, MAX_TOKENS)?.len() >= MAX_TOKENS as usize {
            return Err(Problem::new(409, "too-many", "there are as many tokens as there may be")
                .with_remedy("Revoke those that nobody uses."));
        }
        let token = format!("{TOKEN_PREFIX}{}", Base64UrlUnpadded::encode_string(&(self.draw)()));
        let digest = token_digest(&token);
        let expires_at = body.expires_at.unwrap_or(NEVER).min(NEVER);
        let stored = StoredToken { name: body.name, scopes: body.scopes, created_at: call.now, digest };
        let value = serde_json::to_string(&stored).unwrap_or_default();
        let record = Record { name: id_of(&stored.digest), value, expires_at };
        self.state.put_record(TOKEN, &record, call.now, false)?;
        let scopes: Vec<String> = stored.scopes.iter().cloned().map(String::from).collect();
        self.audit(caller.name(), "token-created", None, format!("{} ({})", stored.name, scopes.join(", ")));
        Ok(OutgoingResponse::ok(CreatedTokenResponse { about: shown(&record, stored), token }))
    }

    pub(crate) fn revoke_token(&self, caller: &Caller, id: &str, now: Timestamp) -> Result<OutgoingResponse, Problem> {
        let stored = self.stored_token(id, now)?;
        if !self.state.remove_record(TOKEN, id)? {
            return Err(Problem::new(404, "unknown", "there is no such token")
                .at("token")
                .with_remedy("See GET /v1/tokens for their ids."));
        }
        let name = stored.map_or_else(|| id.to_owned(), |(_, stored)| stored.name);
        self.audit(caller.name(), "token-revoked", None, name);
        Ok(OutgoingResponse::empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(scopes: &[&str]) -> Caller {
        let scopes = scopes.iter().map(|scope| Scope::try_from((*scope).to_owned()).unwrap()).collect();
        Caller { name: "x".to_owned(), token: "x".to_owned(), scopes }
    }

    #[test]
    fn a_scope_covers_what_it_says_and_nothing_else() {
        let needs = [Need::Token, Need::Connection("a"), Need::Connection("b"), Need::Metrics, Need::Tick, Need::Admin];
        for (scopes, allowed) in [
            (&["admin"][..], [true; 6]),
            (&["connection:a"], [true, true, false, false, false, false]),
            (&["metrics"], [true, false, false, true, false, false]),
            (&["tick"], [true, false, false, false, true, false]),
            (&["tick", "connection:b"], [true, false, true, false, true, false]),
            (&[], [false; 6]),
        ] {
            assert_eq!(needs.map(|need| caller(scopes).may(need)), allowed, "{scopes:?}");
        }
        for wrong in ["", "Admin", "connection:", "connection:a/b", "connection", "all"] {
            assert!(Scope::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_the_hosts_word_or_that_of_the_proxy_that_the_operator_names() {
        let headers = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let place = |all: &[(&str, &str)], named: &str| address(&headers(all), named).map(place_of);
        let forged = [("spin-client-addr", "203.0.113.9:1"), ("spin-client-addr", "198.51.100.7:4711")];
        assert_eq!(place(&forged, "").as_deref(), Some("198.51.100.7"), "the last one is Spin's");
        let forwarded = [("x-forwarded-for", "203.0.113.9, 198.51.100.8"), ("spin-client-addr", "127.0.0.1:9")];
        assert_eq!(place(&forwarded, ""), None, "a header that anybody can send is not believed");
        assert_eq!(place(&forwarded, "x-forwarded-for").as_deref(), Some("198.51.100.8"), "the proxy's own part");
        assert_eq!(place(&forwarded, "true-client-ip"), None);
        for near in ["127.0.0.1:1", "10.1.2.3:1", "192.168.0.1:1", "[::1]:1", "[fd00::1]:1", "[::ffff:10.0.0.1]:1", "x"]
        {
            assert_eq!(place(&[("spin-client-addr", near)], ""), None, "{near}");
        }
        let of = |text: &str| place(&[("spin-client-addr", text)], "");
        assert_eq!(of("[2001:db8:1:2:3:4:5:6]:1"), of("[2001:db8:1:2:ffff::1]:1"), "one customer has them all");
        assert_ne!(of("[2001:db8:1:2::1]:1"), of("[2001:db8:1:3::1]:1"));
    }
}
