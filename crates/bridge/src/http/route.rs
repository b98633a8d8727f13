//! Which request is meant. Pure.

use crate::access::Need;
use crate::access::people;
use crate::platform::WebhookEndpoint;

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
    /// `POST /v1/connections/{connection}/check`: checks what is stored anew.
    Check(&'a str),
    /// `POST /v1/connections/{connection}/choices`: what settings may name.
    Choices(&'a str),
    /// `POST /v1/connections/{connection}/restore`: brings the settings back that last connected.
    Restore(&'a str),
    /// `POST /v1/connections/{connection}/webhook-secret`: other addresses for webhooks.
    ChangeWebhooks(&'a str),
    /// `GET /v1/connections/{connection}/settings`: without secrets.
    Settings(&'a str),
    /// `GET /v1/connections/{connection}/activity`.
    Activity(&'a str),
    /// `GET /v1/connections/{connection}/deliveries`: webhooks, and news to the platform, one by one.
    Deliveries(&'a str),
    /// `POST /v1/connections/{connection}/deliveries/{delivery}/resend`.
    Resend(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/resend?since=...`: everything that failed since then.
    ResendSince(&'a str),
    /// `GET /v1/connections/{connection}/trends`: hours and days.
    Trends(&'a str),
    /// `POST /v1/webhook-key`: what a pasted public key is.
    WebhookKey,
    /// `GET /metrics`.
    Metrics,
    /// `POST /v1/connections/{connection}/trials`: a handoff of which the platform learns nothing.
    Trial(&'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/events`: fetches what waits.
    Events(&'a str, &'a str),
    /// `GET /v1/connections/{connection}/handoffs/{handoff}/timeline`.
    Timeline(&'a str, &'a str),
    /// `GET /v1/connections/{connection}/photos/{photo}`: of a human agent.
    Photo(&'a str, &'a str),
    /// `DELETE /v1/connections/{connection}`: forgets it, and everything about its conversations.
    Disconnect(&'a str),
    /// `POST /v1/connections/{connection}/preview`.
    Preview(&'a str),
    /// `POST /v1/connections/{connection}/handoffs`.
    HandOff(&'a str),
    /// `GET /v1/connections/{connection}/handoffs`: those that are open, have ended, or are looked for.
    Handoffs(&'a str),
    /// `GET /v1/connections/{connection}/handoffs/{handoff}`.
    Handoff(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/messages`.
    Relay(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/undelivered`.
    Undelivered(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/rating`.
    Rate(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/close`.
    Close(&'a str, &'a str),
    /// `POST /v1/connections/{connection}/handoffs/{handoff}/tick`: looks now.
    Look(&'a str, &'a str),
    /// `GET /v1/tokens`.
    Tokens,
    /// `POST /v1/tokens`.
    CreateToken,
    /// `DELETE /v1/tokens/{id}`.
    RevokeToken(&'a str),
    /// `GET /v1/audit`.
    Audit,
    /// `POST /v1/rotate`: encrypts what is stored with the key that writes now.
    Rotate,
    /// `POST /v1/tick`: everything that is due.
    Tick,
    /// `GET /v1/people/{person}`: what is held about an end user. The id is percent-encoded, as in all paths of people.
    ExportPerson(&'a str),
    /// `DELETE /v1/people/{person}`: erases it.
    ErasePerson(&'a str),
    /// `POST /webhooks/freshchat/{connection}/{secret}`.
    FreshchatWebhook(&'a str, &'a str),
    /// `POST /webhooks/freshdesk/{connection}`, with the secret in a header.
    TicketWebhook(&'a str),
    /// `POST /webhooks/platform/{connection}/{secret}`, and `/webhooks/sendbird/...` for the Chat webhook.
    PlatformWebhook(WebhookEndpoint, &'a str, &'a str),
}

impl<'a> Route<'a> {
    /// What it needs of whoever calls, with this query. Every route stands here by itself, so that none is open by oversight.
    pub fn need(&self, query: &'a str) -> Need<'a> {
        use Route as R;
        match *self {
            R::Health | R::OpenApi | R::FreshchatWebhook(..) | R::TicketWebhook(_) | R::PlatformWebhook(..) => {
                Need::Nothing
            }
            // The list shows what the token may see.
            R::Connections | R::WebhookKey => Need::Token,
            R::Metrics => Need::Metrics,
            R::Tick => Need::Tick,
            R::Tokens | R::CreateToken | R::RevokeToken(_) | R::Audit | R::Rotate => Need::Admin,
            R::ExportPerson(_) | R::ErasePerson(_) => people::need(query),
            R::Connect(id)
            | R::Connection(id)
            | R::Check(id)
            | R::Choices(id)
            | R::Restore(id)
            | R::ChangeWebhooks(id)
            | R::Settings(id)
            | R::Activity(id)
            | R::Deliveries(id)
            | R::Resend(id, _)
            | R::ResendSince(id)
            | R::Trends(id)
            | R::Disconnect(id)
            | R::Preview(id)
            | R::HandOff(id)
            | R::Trial(id)
            | R::Handoffs(id)
            | R::Events(id, _)
            | R::Timeline(id, _)
            | R::Photo(id, _)
            | R::Handoff(id, _)
            | R::Relay(id, _)
            | R::Undelivered(id, _)
            | R::Rate(id, _)
            | R::Close(id, _)
            | R::Look(id, _) => Need::Connection(id),
        }
    }
}

/// Why no route was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// There is nothing at this path.
    Path,
    /// There is, for other methods: those that are allowed, as the header `Allow` has them.
    Method(String),
}

/// What a route makes of the names in its path, of which there are at most two.
type Make = for<'a> fn(&'a str, &'a str) -> Route<'a>;

/// Where an end user is named by the platform's id, which may hold anything.
const PERSON: &str = "/v1/people/{person}";
/// 255 characters of four bytes, each of them percent-encoded.
const MAX_PERSON: usize = 255 * 4 * 3;

/// Every route: method, path, and what it makes of the names in braces.
pub const ROUTES: [(&str, &str, Make); 43] = [
    ("GET", "/v1/health", |_, _| Route::Health),
    ("GET", "/v1/openapi.json", |_, _| Route::OpenApi),
    ("GET", "/v1/connections", |_, _| Route::Connections),
    ("GET", "/v1/connections/{connection}", |connection, _| Route::Connection(connection)),
    ("PUT", "/v1/connections/{connection}", |connection, _| Route::Connect(connection)),
    ("DELETE", "/v1/connections/{connection}", |connection, _| Route::Disconnect(connection)),
    ("POST", "/v1/connections/{connection}/check", |connection, _| Route::Check(connection)),
    ("POST", "/v1/connections/{connection}/choices", |connection, _| Route::Choices(connection)),
    ("POST", "/v1/connections/{connection}/restore", |connection, _| Route::Restore(connection)),
    ("POST", "/v1/connections/{connection}/webhook-secret", |connection, _| Route::ChangeWebhooks(connection)),
    ("GET", "/v1/connections/{connection}/settings", |connection, _| Route::Settings(connection)),
    ("GET", "/v1/connections/{connection}/activity", |connection, _| Route::Activity(connection)),
    ("GET", "/v1/connections/{connection}/deliveries", |connection, _| Route::Deliveries(connection)),
    ("POST", "/v1/connections/{connection}/deliveries/{delivery}/resend", |connection, delivery| {
        Route::Resend(connection, delivery)
    }),
    ("POST", "/v1/connections/{connection}/resend", |connection, _| Route::ResendSince(connection)),
    ("GET", "/v1/connections/{connection}/trends", |connection, _| Route::Trends(connection)),
    ("POST", "/v1/webhook-key", |_, _| Route::WebhookKey),
    ("GET", "/metrics", |_, _| Route::Metrics),
    ("POST", "/v1/connections/{connection}/trials", |connection, _| Route::Trial(connection)),
    ("POST", "/v1/connections/{connection}/handoffs/{handoff}/events", |connection, handoff| {
        Route::Events(connection, handoff)
    }),
    ("GET", "/v1/connections/{connection}/handoffs/{handoff}/timeline", |connection, handoff| {
        Route::Timeline(connection, handoff)
    }),
    ("GET", "/v1/connections/{connection}/photos/{photo}", |connection, photo| Route::Photo(connection, photo)),
    ("POST", "/v1/connections/{connection}/preview", |connection, _| Route::Preview(connection)),
    ("GET", "/v1/connections/{connection}/handoffs", |connection, _| Route::Handoffs(connection)),
    ("POST", "/v1/connections/{connection}/handoffs", |connection, _| Route::HandOff(connection)),
    ("GET", "/v1/connections/{connection}/handoffs/{handoff}", |connection, handoff| {
        Route::Handoff(connection, handoff)
    }),
    ("POST", "/v1/connections/{connection}/handoffs/{handoff}/messages", |connection, handoff| {
        Route::Relay(connection, handoff)
    }),
    ("POST", "/v1/connections/{connection}/handoffs/{handoff}/undelivered", |connection, handoff| {
        Route::Undelivered(connection, handoff)
    }),
    ("POST", "/v1/connections/{connection}/handoffs/{handoff}/rating", |connection, handoff| {
        Route::Rate(connection, handoff)
    }),
    ("POST", "/v1/connections/{connection}/handoffs/{handoff}/close", |connection, handoff| {
        Route::Close(connection, handoff)
    }),
    ("POST", "/v1/connections/{connection}/handoffs/{handoff}/tick", |connection, handoff| {
        Route::Look(connection, handoff)
    }),
    ("GET", "/v1/tokens", |_, _| Route::Tokens),
    ("POST", "/v1/tokens", |_, _| Route::CreateToken),
    ("DELETE", "/v1/tokens/{id}", |id, _| Route::RevokeToken(id)),
    ("GET", "/v1/audit", |_, _| Route::Audit),
    ("POST", "/v1/rotate", |_, _| Route::Rotate),
    ("POST", "/v1/tick", |_, _| Route::Tick),
    ("GET", PERSON, |person, _| Route::ExportPerson(person)),
    ("DELETE", PERSON, |person, _| Route::ErasePerson(person)),
    ("POST", "/webhooks/freshchat/{connection}/{secret}", |connection, secret| {
        Route::FreshchatWebhook(connection, secret)
    }),
    ("POST", "/webhooks/freshdesk/{connection}", |connection, _| Route::TicketWebhook(connection)),
    ("POST", "/webhooks/platform/{connection}/{secret}", |connection, secret| {
        Route::PlatformWebhook(WebhookEndpoint::Platform, connection, secret)
    }),
    ("POST", "/webhooks/sendbird/{connection}/{secret}", |connection, secret| {
        Route::PlatformWebhook(WebhookEndpoint::Chat, connection, secret)
    }),
];

/// Finds the route of a request.
pub fn route<'a>(method: &str, path: &'a str) -> Result<Route<'a>, NoRoute> {
    let mut allowed = Vec::new();
    for (wanted, template, make) in ROUTES {
        let Some([one, two]) = names(template, path) else { continue };
        if wanted == method {
            return Ok(make(one, two));
        }
        allowed.push(wanted);
    }
    Err(if allowed.is_empty() { NoRoute::Path } else { NoRoute::Method(allowed.join(", ")) })
}

/// What stands in a path where a template has names.
fn names<'a>(template: &str, path: &'a str) -> Option<[&'a str; 2]> {
    let mut found = [""; 2];
    let mut places = found.iter_mut();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => break,
            (Some(name), Some(segment)) if name.starts_with('{') && may_be(name, segment) => *places.next()? = segment,
            (Some(word), Some(segment)) if word == segment => {}
            _ => return None,
        }
    }
    Some(found)
}

fn may_be(name: &str, segment: &str) -> bool {
    if name == "{person}" { (1..=MAX_PERSON).contains(&segment.len()) } else { is_id(segment) }
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
        assert_eq!(route("PATCH", "/v1/connections/acme"), Err(NoRoute::Method("GET, PUT, DELETE".to_owned())));
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
        assert_eq!(route("DELETE", "/v1/people/a%2Fb%20%C3%A9"), Ok(Route::ErasePerson("a%2Fb%20%C3%A9")));
        assert_eq!(route("GET", "/v1/people/"), Err(NoRoute::Path));
        assert_eq!(route("GET", &format!("/v1/people/{}", "a".repeat(3061))), Err(NoRoute::Path));
        let long = format!("/v1/connections/{}", "a".repeat(65));
        assert_eq!(route("GET", &long), Err(NoRoute::Path));
    }
}
