//! Which operation a request means. Pure.

use crate::http::operations::{OPERATIONS, Operation};

/// An operation, and the names in the request's path, of which there are at most two. Ids in paths are those that the API gave out:
/// letters, digits and hyphens.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// What is asked for.
    pub operation: &'static Operation,
    /// What stands where the operation's path has braces.
    pub names: [&'a str; 2],
}

/// Why no route was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    /// There is nothing at this path.
    Path,
    /// There is, for other methods: those that are allowed, as the header `Allow` has them.
    Method(String),
}

/// 255 characters of four bytes, each of them percent-encoded.
const MAX_PERSON: usize = 255 * 4 * 3;

/// Finds the operation of a request.
///
/// # Errors
///
/// When there is none for this method, or none at this path.
pub fn find<'a>(method: &str, path: &'a str) -> Result<Found<'a>, NoRoute> {
    let mut allowed = Vec::new();
    for operation in OPERATIONS {
        let Some(names) = names(operation.path, path) else { continue };
        if operation.method == method {
            return Ok(Found { operation, names });
        }
        allowed.push(operation.method);
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

    /// Method and path of the operation, and the names.
    fn route<'a>(method: &str, path: &'a str) -> Result<(String, [&'a str; 2]), NoRoute> {
        find(method, path).map(|found| (format!("{} {}", found.operation.method, found.operation.path), found.names))
    }

    fn leads_to<'a>(operation: &str, names: [&'a str; 2]) -> Result<(String, [&'a str; 2]), NoRoute> {
        Ok((operation.to_owned(), names))
    }

    #[test]
    fn paths_lead_where_the_api_says() {
        assert_eq!(route("GET", "/v1/health"), leads_to("GET /v1/health", ["", ""]));
        assert_eq!(route("PUT", "/v1/connections/acme"), leads_to("PUT /v1/connections/{connection}", ["acme", ""]));
        assert_eq!(
            route("POST", "/v1/connections/acme/handoffs/h-1/messages"),
            leads_to("POST /v1/connections/{connection}/handoffs/{handoff}/messages", ["acme", "h-1"])
        );
        assert_eq!(
            route("POST", "/webhooks/freshchat/acme/s3cret"),
            leads_to("POST /webhooks/freshchat/{connection}/{secret}", ["acme", "s3cret"])
        );
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
        assert_eq!(
            route("DELETE", "/v1/people/a%2Fb%20%C3%A9"),
            leads_to("DELETE /v1/people/{person}", ["a%2Fb%20%C3%A9", ""])
        );
        assert_eq!(route("GET", "/v1/people/"), Err(NoRoute::Path));
        assert_eq!(route("GET", &format!("/v1/people/{}", "a".repeat(3061))), Err(NoRoute::Path));
        let long = format!("/v1/connections/{}", "a".repeat(65));
        assert_eq!(route("GET", &long), Err(NoRoute::Path));
    }
}
