//! The chat URL, in every form in which admins paste it.
//!
//! The API key goes to this host with every call, so only hosts of Freshchat are accepted: every account's API lives
//! under `freshchat.com`, even where its web pages are on `myfreshworks.com`.
//!
//! Of suites (Freshsales Suite, Freshdesk Omni) third-party copies of the vendor's reference name `https://<bundle>.myfreshworks.com/v2`
//! as the address of the chat's API. Practice contradicts them: guides that show the page print "Your chat URL" of a suite as
//! `<company>-<letters and digits>.freshchat.com` (Upscope 2024, My AskAI 2025), and integrators who tried the other host went over to
//! `<company>-<digits>-<letters and digits>.freshchat.com`. Where the URL stands: the same guides, and SiteGPT's (2026). That no
//! account's API answers under `myfreshworks.com` is therefore a belief.

use handoff_contract::error::Error;

const DOMAIN: &str = ".freshchat.com";
/// Where admins find the address.
const REMEDY: &str = "Copy \"Your chat URL\": it stands beside the API key under Admin Settings > Marketplace and \
     Integrations > API > API Settings > API details for chat (older accounts: Admin Settings > APIs for chat). It ends in .freshchat.com.";
/// The same, for addresses of a suite's pages.
const SUITE_REMEDY: &str = "The chat of a suite has an address of its own, such as acme-1a2b3c4d.freshchat.com. Copy \"Your chat URL\" from \
     Admin Settings (or your profile's settings) > API Settings > API details for chat, where the API key stands, too.";
/// Hosts of the vendor that are no account's API.
const NOT_ACCOUNTS: [&str; 4] =
    ["www.freshchat.com", "web.freshchat.com", "support.freshchat.com", "developers.freshchat.com"];
/// What the hosts of the web widget and of the apps' SDK begin with, in every region: `wchat.eu.freshchat.com`.
const WIDGETS: [&str; 7] = ["wchat", "msdk", "assetscdn-wchat", "widget", "snippets", "cdn", "assets"];
/// Other domains from which widgets are loaded.
const WIDGET_DOMAINS: [&str; 2] = ["fw-cdn.com", "freshbots.ai"];

/// The origin of an account's API: `acme`, `acme.freshchat.com`, with `/v2`, scheme or trailing slash all give
/// `https://acme.freshchat.com`.
pub fn account_origin(chat_url: &str) -> Result<String, Error> {
    let fault = |message: &'static str, remedy: &'static str| Error::settings("chat_url", message, remedy);
    if chat_url.trim_matches(AROUND).is_empty() {
        return Err(fault("the Chat URL is missing", REMEDY));
    }
    let host = host_of(chat_url).ok_or_else(|| fault("the Chat URL does not start with https://", REMEDY))?;
    let host = if host.contains('.') { host } else { format!("{host}{DOMAIN}") };

    if host.ends_with(".freshdesk.com") || host.ends_with(".freshservice.com") {
        return Err(fault("this is the address of the ticket system, not of the chat", REMEDY));
    }
    if host.ends_with(".myfreshworks.com") || host.ends_with(".freshworks.com") {
        return Err(fault("this is the address of the suite's web pages, not of the chat's API", SUITE_REMEDY));
    }
    let first = host.split('.').next().unwrap_or_default();
    let is_below = |before: &str| before.is_empty() || before.ends_with('.');
    let is_foreign_widget = WIDGET_DOMAINS.iter().any(|domain| host.strip_suffix(domain).is_some_and(is_below));
    if is_foreign_widget || (host.ends_with(DOMAIN) && WIDGETS.contains(&first)) {
        return Err(fault("this is the address that the chat widget loads from, not of the chat's API", REMEDY));
    }
    let account = host.strip_suffix(DOMAIN).unwrap_or_default();
    if account.is_empty() || !labels_are_valid(account) || NOT_ACCOUNTS.contains(&host.as_str()) {
        return Err(fault("this is not the address of a Freshchat account", REMEDY));
    }
    Ok(format!("https://{host}"))
}

/// What people paste along with an address.
const AROUND: [char; 7] = ['"', '\'', '<', '>', '`', ' ', '\t'];

/// The host in a pasted address, in lower case; none where its scheme is not https.
pub(super) fn host_of(text: &str) -> Option<String> {
    let text = text.trim().trim_matches(AROUND).to_ascii_lowercase();
    let rest = match text.strip_prefix("https://") {
        Some(rest) => rest,
        None if text.contains("://") => return None,
        None => text.as_str(),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    Some(authority.strip_suffix(":443").unwrap_or(authority).trim_end_matches('.').to_owned())
}

/// True for what may stand before an account's domain.
pub(super) fn labels_are_valid(labels: &str) -> bool {
    labels.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// The origin of a simulator. Plain HTTP is allowed, but nothing outside this machine.
pub fn loopback_origin(setting: &str, origin: &str) -> Result<String, Error> {
    let text = origin.trim().trim_end_matches('/').to_ascii_lowercase();
    let host_and_port = text.strip_prefix("http://").unwrap_or_default();
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (host_and_port, None),
    };
    let port_is_valid = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if matches!(host, "127.0.0.1" | "localhost" | "[::1]") && port_is_valid {
        return Ok(text);
    }
    Err(Error::settings(
        setting,
        "the test origin is not an http:// address of this machine",
        "Leave it out, or use http://127.0.0.1:<port> of a simulator.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pasted_form_of_the_address_works() {
        for form in [
            "acme",
            "ACME",
            "acme.freshchat.com",
            "acme.freshchat.com/v2",
            "acme.freshchat.com/v2/",
            "https://acme.freshchat.com",
            "https://acme.freshchat.com/",
            "https://acme.freshchat.com/v2/",
            "HTTPS://Acme.Freshchat.com:443/v2/users?x=1#y",
            " \"https://acme.freshchat.com\" ",
        ] {
            assert_eq!(account_origin(form).unwrap(), "https://acme.freshchat.com", "{form}");
        }
        assert_eq!(account_origin("api.eu.freshchat.com").unwrap(), "https://api.eu.freshchat.com");
        let suite = "acme-933915710582838602-cf5ef642f0f082017690489.freshchat.com/v2";
        assert_eq!(account_origin(suite).unwrap(), format!("https://{}", &suite[..suite.len() - 3]));
    }

    #[test]
    fn addresses_that_are_no_account_are_refused_with_a_remedy() {
        for (form, word) in [
            ("", "missing"),
            ("http://acme.freshchat.com", "https://"),
            ("ftp://acme.freshchat.com", "https://"),
            ("acme.freshdesk.com", "ticket system"),
            ("https://acme.myfreshworks.com/crm/messaging", "web pages"),
            ("acme.freshworks.com", "web pages"),
            ("https://wchat.freshchat.com/js/widget.js", "widget"),
            ("wchat.eu.freshchat.com", "widget"),
            ("WCHAT", "widget"),
            ("msdk.in.freshchat.com", "widget"),
            ("//fw-cdn.com/1234567/1234567.js", "not the address"),
            ("https://fw-cdn.com/1234567/1234567.js", "widget"),
            ("https://cdn.freshbots.ai/assets/share/js/freshbots.min.js", "widget"),
            ("https://example.com/acme.freshchat.com", "not the address"),
            ("https://acme.freshchat.com.example.com", "not the address"),
            ("https://acme.freshchat.com@example.com", "not the address"),
            ("https://example.com@acme.freshchat.com", "not the address"),
            ("https://acme.freshchat.com:8443", "not the address"),
            ("evilfreshchat.com", "not the address"),
            ("freshchat.com", "not the address"),
            ("www.freshchat.com", "not the address"),
            ("acme corp", "not the address"),
            ("-acme", "not the address"),
            ("127.0.0.1", "not the address"),
        ] {
            let error = account_origin(form).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("settings.chat_url"), "{form}");
            assert!(error.message.contains(word), "{form}: {}", error.message);
            assert!(error.into_details().remedy.unwrap().contains(".freshchat.com"), "{form}");
        }
    }

    #[test]
    fn the_remedy_says_where_the_address_stands() {
        for (form, place) in [
            ("wchat.freshchat.com", "APIs for chat"),
            ("acme.freshdesk.com", "API details for chat"),
            ("https://acme-team.myfreshworks.com/crm/messaging", "such as acme-1a2b3c4d.freshchat.com"),
            ("https://acme-team.myfreshworks.com/v2", "API details for chat"),
        ] {
            let remedy = account_origin(form).unwrap_err().into_details().remedy.unwrap();
            assert!(remedy.contains(place) && remedy.contains("Your chat URL"), "{form}: {remedy}");
        }
        assert!(account_origin("wchat-shop.freshchat.com").is_ok(), "an account may be called so");
    }

    #[test]
    fn a_test_origin_never_leaves_the_machine() {
        for good in
            ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9", "http://[::1]", "http://127.0.0.1"]
        {
            assert!(loopback_origin("test_origin", good).is_ok(), "{good}");
        }
        for bad in [
            "https://127.0.0.1:1",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1:80/path",
            "http://127.0.0.1:99999",
            "http://example.com",
            "127.0.0.1",
        ] {
            assert!(loopback_origin("test_origin", bad).is_err(), "{bad}");
        }
    }
}
