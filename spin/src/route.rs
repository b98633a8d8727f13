//! Which request is meant. Pure.

use crate::platform::Endpoint;

/// A request of the API, with the names in its path. Ids in paths are those that the API gave out: letters, digits and hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// `GET /v1/health`.
    Health,
    /// `GET /v1/openapi.json`.
    OpenApi,
    /// `GET /v1/connections`.
    Connections,
    /// `PUT /v1/connections/{connection}`: checks the account and keeps the settings.
    Connect(&'a str),
    /// `GET /v1/connections/{connection}`.
    Connection(&'a str),
    /// `DELETE /v1/connections/{connection}`: forgets it, and everything about its conversations.
    Disconnect(&'a str),
    /// `POST /v1/connections/{connection}/preview`.
    Preview(&'a str),
    /// `POST /v1/connections/{connection}/tickets`.
    Tickets(&'a str),
    /// `POST /v1/connections/{connection}/handoffs`.
    HandOff(&'a str),
    /// `GET /v1/connections/{connection}/handoffs`: the open ones.
    Handoffs(&'a str),
    /// `GET /v1/connections/{connection}/handoffs/{handoff}`.
    Handoff(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/messages`.
    Relay(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/close`.
    Close(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/tick`: looks now.
    Look(&'a str, &'a str),
    /// `POST /v1/tick`: everything that is due.
    Tick,
    /// `POST /webhooks/freshchat/{connection}/{secret}`.
    FreshchatWebhook(&'a str, &'a str),
    /// `POST /webhooks/platform/{connection}/{secret}`, and `/webhooks/sendbird/...` for the Chat webhook.
    PlatformWebhook(Endpoint, &'a str, &'a str),
}

impl Route<'_> {
    /// Needs no token: either everybody may see it, or it has a secret of its own.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Health | Self::OpenApi | Self::FreshchatWebhook(..) | Self::PlatformWebhook(..))
    }
}

/// Why no route was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// There is nothing at this path.
    Path,
    /// There is, for another method: those that are allowed.
    Method(&'static str),
}

/// Finds the route of a request.
pub fn route<'a>(method: &str, path: &'a str) -> Result<Route<'a>, NoRoute> {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let one = |wanted: &'static str, route: Route<'a>| {
        if method == wanted { Ok(route) } else { Err(NoRoute::Method(wanted)) }
    };
    match *segments {
        ["v1", "health"] => one("GET", Route::Health),
        ["v1", "openapi.json"] => one("GET", Route::OpenApi),
        ["v1", "tick"] => one("POST", Route::Tick),
        ["v1", "connections"] => one("GET", Route::Connections),
        ["v1", "connections", connection] if is_id(connection) => match method {
            "GET" => Ok(Route::Connection(connection)),
            "PUT" => Ok(Route::Connect(connection)),
            "DELETE" => Ok(Route::Disconnect(connection)),
            _ => Err(NoRoute::Method("GET, PUT, DELETE")),
        },
        ["v1", "connections", connection, "preview"] if is_id(connection) => one("POST", Route::Preview(connection)),
        ["v1", "connections", connection, "tickets"] if is_id(connection) => one("POST", Route::Tickets(connection)),
        ["v1", "connections", connection, "handoffs"] if is_id(connection) => match method {
            "GET" => Ok(Route::Handoffs(connection)),
            "POST" => Ok(Route::HandOff(connection)),
            _ => Err(NoRoute::Method("GET, POST")),
        },
        ["v1", "connections", connection, "handoffs", handoff] if is_id(connection) && is_id(handoff) => {
            one("GET", Route::Handoff(connection, handoff))
        }
        ["v1", "connections", connection, "handoffs", handoff, "messages"] if is_id(connection) && is_id(handoff) => {
            one("POST", Route::Relay(connection, handoff))
        }
        ["v1", "connections", connection, "handoffs", handoff, "close"] if is_id(connection) && is_id(handoff) => {
            one("POST", Route::Close(connection, handoff))
        }
        ["v1", "connections", connection, "handoffs", handoff, "tick"] if is_id(connection) && is_id(handoff) => {
            one("POST", Route::Look(connection, handoff))
        }
        ["webhooks", "freshchat", connection, secret] if is_id(connection) && is_id(secret) => {
            one("POST", Route::FreshchatWebhook(connection, secret))
        }
        ["webhooks", "platform", connection, secret] if is_id(connection) && is_id(secret) => {
            one("POST", Route::PlatformWebhook(Endpoint::Platform, connection, secret))
        }
        ["webhooks", "sendbird", connection, secret] if is_id(connection) && is_id(secret) => {
            one("POST", Route::PlatformWebhook(Endpoint::Chat, connection, secret))
        }
        _ => Err(NoRoute::Path),
    }
}

/// 1 to 64 letters, digits, hyphens and underscores: safe in paths, keys and logs.
pub fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_the_api_says() {
        assert_eq!(route("GET", "/v1/health"), Ok(Route::Health));
        assert_eq!(route("PUT", "/v1/connections/acme"), Ok(Route::Connect("acme")));
        assert_eq!(route("POST", "/v1/connections/acme/handoffs/h-1/messages"), Ok(Route::Relay("acme", "h-1")));
        assert_eq!(route("POST", "/webhooks/freshchat/acme/s3cret"), Ok(Route::FreshchatWebhook("acme", "s3cret")));
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path() {
        assert_eq!(route("PATCH", "/v1/connections/acme"), Err(NoRoute::Method("GET, PUT, DELETE")));
        for path in [
            "",
            "/",
            "/v1",
            "/v2/health",
            "/v1/health/",
            "/v1/connections//handoffs",
            "/v1/connections/a%2Fb",
            "//v1/health",
        ] {
            assert_eq!(route("GET", path), Err(NoRoute::Path), "{path}");
        }
        let long = format!("/v1/connections/{}", "a".repeat(65));
        assert_eq!(route("GET", &long), Err(NoRoute::Path));
    }
}
