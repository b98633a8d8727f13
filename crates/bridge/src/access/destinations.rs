//! Where the bridge may be sent: to the internet, and to hosts inside that the operator has named. What a tenant writes (callbacks,
//! forward URLs, hosts of files, test origins) and what is in messages (files, photos) leads nowhere else.
//!
//! A component cannot resolve names, so what is looked at here is how a host is written. What a name resolves to is for Spin:
//! `block_networks` in its runtime configuration is asked about the address at each connection.

use freshworks_handoff::http::{Forwarded, Http, Request, Response, TransportError, Wrapped};
use handoff_contract::destination::is_internet;
use serde_json::{Map, Value};

use crate::http::problem::Problem;
use crate::platform::{PlatformSettings, web_url};

/// Hosts inside that the operator has named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    internal: Vec<String>,
}

impl Destinations {
    /// Reads the app's variable `internal_hosts`: hosts as they stand in URLs, IPv6 in brackets, with commas or spaces between.
    pub fn read(variable: &str) -> Self {
        let hosts = variable.split([',', ' ', '\t', '\n']).filter(|host| !host.is_empty());
        Self { internal: hosts.map(normal).collect() }
    }

    /// Whether a host may be reached, written as in a URL without its port.
    pub fn allows_host(&self, host: &str) -> bool {
        self.internal.contains(&normal(host)) || is_internet(host)
    }

    /// Whether an origin (`https://host:port`) may be reached.
    pub fn allows(&self, origin: &str) -> bool {
        host_of(origin).is_some_and(|host| self.allows_host(host))
    }

    /// Refuses what leads inside, and names the field that does. What is no address at all is for the checks of its own field.
    pub(crate) fn check(
        &self,
        settings: &Map<String, Value>,
        platform: &PlatformSettings,
        forward_url: Option<&str>,
    ) -> Result<(), Problem> {
        let mut urls: Vec<(&str, Option<&str>)> = vec![("forward_url", forward_url)];
        match platform {
            PlatformSettings::Generic(generic) => urls.push(("platform.callback_url", Some(&generic.callback_url))),
            PlatformSettings::Delight(delight) => {
                urls.push(("platform.test_origin", delight.test_origin.as_deref()));
                let callback = delight.callback.as_ref().map(|callback| callback.callback_url.as_str());
                urls.push(("platform.callback.callback_url", callback));
            }
            PlatformSettings::Polling(_) => {}
        }
        let text = |name: &str| settings.get(name).and_then(Value::as_str).map(str::trim);
        urls.push(("settings.test_origin", text("test_origin")));
        urls.push(("settings.test_ticket_origin", text("test_ticket_origin")));
        for (field, url) in urls {
            let origin = url.and_then(web_url::split).map(|(origin, _)| origin);
            if origin.is_some_and(|origin| !self.allows(&origin)) {
                return Err(internal(field));
            }
        }
        let file_hosts = match settings.get("file_hosts") {
            Some(Value::Array(hosts)) => hosts.as_slice(),
            Some(one @ Value::String(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        for host in file_hosts.iter().filter_map(Value::as_str) {
            let name = host.trim().trim_start_matches("*.");
            if !name.is_empty() && !self.allows(&format!("https://{name}")) {
                return Err(internal("settings.file_hosts"));
            }
        }
        Ok(())
    }
}

fn internal(field: &str) -> Problem {
    Problem::new(422, "invalid-settings", "this leads to the bridge's own machine or into a private network")
        .at(field)
        .with_remedy(
            "Use a host on the internet. Whoever runs the bridge can allow another in the app's variable internal_hosts.",
        )
}

fn normal(host: &str) -> String {
    let host = host.trim().to_ascii_lowercase();
    host.strip_suffix('.').map_or(host.clone(), str::to_owned)
}

/// The host of an origin; none where it is not one, or has a user name before it.
fn host_of(origin: &str) -> Option<&str> {
    let (_, authority) = origin.split_once("://")?;
    if authority.contains(['@', '/', '?', '#', '\\']) {
        return None;
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (!host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
        }
        _ => Some(authority),
    }
}

/// The way out, for destinations that are allowed. Whoever calls learns that the others were refused; nothing was sent.
pub struct Guarded<'a> {
    /// The way out without a look.
    pub http: &'a dyn Http,
    /// What may be reached.
    pub destinations: &'a Destinations,
}

fn refused() -> TransportError {
    TransportError { not_sent: true, denied: true, reason: "internal-address".to_owned() }
}

impl Http for Guarded<'_> {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        if requests.iter().all(|request| self.destinations.allows(&request.origin)) {
            return self.http.send_all(requests);
        }
        let is_allowed: Vec<bool> = requests.iter().map(|it| self.destinations.allows(&it.origin)).collect();
        let allowed = requests.into_iter().zip(&is_allowed).filter(|(_, is_allowed)| **is_allowed);
        let mut answers = self.http.send_all(allowed.map(|(request, _)| request).collect()).into_iter();
        let answer = |is_allowed| match is_allowed {
            true => answers.next().unwrap_or_else(|| Err(TransportError::no_answer())),
            false => Err(refused()),
        };
        is_allowed.into_iter().map(answer).collect()
    }

    fn forward(
        &self,
        source: Request,
        most_bytes: u64,
        wrap: &dyn Fn(&Response) -> Option<Wrapped>,
    ) -> Result<Option<Forwarded>, TransportError> {
        if !self.destinations.allows(&source.origin) {
            return Err(refused());
        }
        let wrap = |head: &Response| wrap(head).filter(|wrapped| self.destinations.allows(&wrapped.request.origin));
        self.http.forward(source, most_bytes, &wrap)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use freshworks_handoff::http::Method;

    use super::*;

    /// Keeps what reached it.
    #[derive(Default)]
    struct Seen(RefCell<Vec<String>>);

    impl Http for Seen {
        fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
            let answer = |request: Request| {
                self.0.borrow_mut().push(request.origin.clone());
                Ok(Response { status: 200, headers: Vec::new(), body: request.origin.into_bytes() })
            };
            requests.into_iter().map(answer).collect()
        }
    }

    fn get(origin: &str) -> Request {
        let (origin, path) = (origin.to_owned(), "/".to_owned());
        let (headers, body) = (Vec::new(), Vec::new());
        Request { method: Method::Get, origin, path, headers, body, connect_timeout_ms: 1, response_timeout_ms: 1 }
    }

    fn internal_hosts() -> impl Iterator<Item = &'static str> {
        let list = include_str!("../../../../fixtures/addresses/hosts.txt").lines();
        list.filter_map(|line| line.strip_prefix("internal "))
    }

    #[test]
    fn requests_to_internal_hosts_go_nowhere_and_others_keep_their_order() {
        let (http, destinations) = (Seen::default(), Destinations::default());
        let guarded = Guarded { http: &http, destinations: &destinations };
        for host in internal_hosts() {
            for origin in [format!("http://{host}"), format!("https://{host}:8443")] {
                let requests = vec![get("https://a.example"), get(&origin), get("https://b.example")];
                let answers = guarded.send_all(requests);
                let error = answers[1].clone().unwrap_err();
                assert!(error.not_sent && error.denied, "{origin}: {error:?}");
                assert_eq!(answers[0].as_ref().unwrap().body, b"https://a.example");
                assert_eq!(answers[2].as_ref().unwrap().body, b"https://b.example");
                let forwarded = guarded.forward(get(&origin), 100, &|_| None);
                assert!(forwarded.is_err(), "{origin}");
                let into =
                    |_: &Response| Some(Wrapped { request: get(&origin), before: Vec::new(), after: Vec::new() });
                assert_eq!(guarded.forward(get("https://a.example"), 100, &into), Ok(None), "{origin}");
            }
        }
        assert!(http.0.borrow().iter().all(|origin| origin.ends_with(".example")), "{:?}", http.0.borrow());
    }

    #[test]
    fn the_operator_opens_hosts_by_name_and_no_others() {
        let destinations = Destinations::read(" 127.0.0.1, [::1] Platform.svc.cluster.local.,");
        for origin in
            ["http://127.0.0.1:80", "https://[::1]:8", "https://platform.svc.cluster.local", "https://a.example"]
        {
            assert!(destinations.allows(origin), "{origin}");
        }
        for origin in [
            "http://localhost:80",
            "http://127.0.0.2",
            "https://other.svc.cluster.local",
            "http://10.0.0.1",
            "https://user@127.0.0.1",
            "https://127.0.0.1:1@10.0.0.1",
            "127.0.0.1",
            "https://",
        ] {
            assert!(!destinations.allows(origin), "{origin}");
        }
        assert!(!Destinations::read("").allows("http://127.0.0.1"));
    }
}
