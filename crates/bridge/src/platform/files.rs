//! Files that a platform serves to nobody but its application. The core fetches files without any credential; here, below it, the
//! platform's own is added, and goes nowhere but to the hosts from which the platform serves files.

use freshworks_handoff::http::{Http, Method, Request, Response, TransportError};
use handoff_contract::model::Part;
use serde_json::{Value, json};

/// Which files are the platform's own, and what opens them.
pub(crate) struct FileAccess<'a> {
    /// The credential's header.
    pub(crate) header: &'static str,
    /// The credential.
    pub(crate) secret: &'a str,
    /// Loopback origin of a simulator, instead of the platform.
    pub(crate) test_origin: Option<&'a str>,
    /// True for an origin of the platform that serves files *and nothing else*: whoever writes a message chooses the address in it,
    /// and no call of the platform's API may be made for them with the application's credential.
    pub(crate) serves: fn(&str) -> bool,
}

impl FileAccess<'_> {
    fn covers(&self, origin: &str, path: &str) -> bool {
        match self.test_origin {
            // One origin is all of the simulator.
            Some(test_origin) => origin == test_origin && path.starts_with("/files/") && !path.contains(".."),
            None => (self.serves)(origin),
        }
    }

    /// The settings with the hosts of the platform's own files among these parts, so that the core fetches them. Unchanged where
    /// there are none.
    pub(crate) fn settings<'p>(&self, settings: &str, parts: impl Iterator<Item = &'p Part>) -> String {
        let own = parts.filter(|part| part.kind.is_file()).filter_map(|part| self.host(part.url.as_deref()?));
        let hosts: Vec<String> = own.collect();
        let Some(Value::Object(mut object)) =
            (!hosts.is_empty()).then(|| serde_json::from_str(settings).ok()).flatten()
        else {
            return settings.to_owned();
        };
        match object.entry("file_hosts").or_insert_with(|| json!([])) {
            Value::Array(named) => named.extend(hosts.into_iter().map(Value::String)),
            Value::Null => {
                object.insert("file_hosts".to_owned(), json!(hosts));
            }
            // Wrong as it is, and the core says so.
            _ => {}
        }
        Value::Object(object).to_string()
    }

    /// The host, with its port, of a file of the platform's own.
    fn host(&self, url: &str) -> Option<String> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let (host, path) = rest.find(['/', '?', '#']).map_or((rest, "/"), |end| rest.split_at(end));
        let host = host.to_ascii_lowercase();
        self.covers(&format!("{scheme}://{host}"), path).then_some(host)
    }
}

/// The way out for calls that may fetch files. What is refused without the credential is asked for once more with it, where the
/// platform itself serves it.
pub(crate) struct WithAccess<'a> {
    pub(crate) http: &'a dyn Http,
    pub(crate) access: Option<FileAccess<'a>>,
}

impl Http for WithAccess<'_> {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
        let Some(access) = &self.access else { return self.http.send_all(requests) };
        let is_own = |request: &Request| request.method == Method::Get && access.covers(&request.origin, &request.path);
        let own: Vec<Option<Request>> = requests.iter().map(|it| is_own(it).then(|| it.clone())).collect();
        let mut answers = self.http.send_all(requests);
        for (answer, request) in answers.iter_mut().zip(own) {
            // Which status says that a credential is missing is not documented.
            let is_refused = answer.as_ref().is_ok_and(|answer| (400..500).contains(&answer.status));
            if let Some(mut request) = request.filter(|_| is_refused) {
                request.headers.push((access.header, access.secret.to_owned()));
                *answer = self.http.send(request);
            }
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use handoff_contract::model::PartKind;

    use super::*;

    /// Refuses what comes without a credential, and keeps what was asked: address, and whether there was one.
    #[derive(Default)]
    struct Closed(RefCell<Vec<(String, bool)>>);

    impl Http for Closed {
        fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, TransportError>> {
            let answer = |request: Request| {
                let has_secret = format!("{:?}", request.headers).contains("secret");
                self.0.borrow_mut().push((format!("{}{}", request.origin, request.path), has_secret));
                let status = if has_secret { 200 } else { 403 };
                Ok(Response { status, headers: Vec::new(), body: Vec::new() })
            };
            requests.into_iter().map(answer).collect()
        }
    }

    fn access() -> FileAccess<'static> {
        let serves = |origin: &str| origin == "https://files.example";
        FileAccess { header: "api-token", secret: "secret", test_origin: None, serves }
    }

    fn request(method: Method, origin: &str) -> Request {
        Request {
            method,
            origin: origin.to_owned(),
            path: "/a".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            connect_timeout_ms: 1,
            response_timeout_ms: 1,
        }
    }

    #[test]
    fn the_credential_goes_to_the_platforms_files_alone() {
        let http = Closed::default();
        let with = WithAccess { http: &http, access: Some(access()) };
        let answers = with.send_all(vec![
            request(Method::Get, "https://elsewhere.example"),
            request(Method::Get, "https://files.example"),
            request(Method::Post, "https://files.example"),
            request(Method::Get, "https://files.example.evil.example"),
        ]);
        let statuses: Vec<u16> = answers.into_iter().map(|answer| answer.unwrap().status).collect();
        assert_eq!(statuses, [403, 200, 403, 403]);
        let with_secret: Vec<_> = http.0.take().into_iter().filter(|(_, has)| *has).map(|(url, _)| url).collect();
        assert_eq!(with_secret, ["https://files.example/a"]);
    }

    #[test]
    fn only_hosts_of_the_platforms_files_are_added_to_the_settings() {
        let file = |url: &str| Part { url: Some(url.to_owned()), ..Part::empty(PartKind::Image) };
        let own = [
            file("https://FILES.example/a b"),
            file("https://elsewhere.example/a"),
            Part::text("https://files.example/"),
        ];
        let hosts = |settings: &str, parts: &[Part]| {
            let settings: Value = serde_json::from_str(&access().settings(settings, parts.iter())).unwrap();
            settings["file_hosts"].clone()
        };
        assert_eq!(hosts(r#"{"chat_url": "acme"}"#, &own), json!(["files.example"]));
        assert_eq!(hosts(r#"{"file_hosts": ["a.example"]}"#, &own), json!(["a.example", "files.example"]));
        assert_eq!(hosts(r#"{"file_hosts": null}"#, &own), json!(["files.example"]));
        assert_eq!(access().settings("as it was", own[1..].iter()), "as it was");
    }
}
