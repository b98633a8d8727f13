//! Web addresses that an admin writes.

/// What [`split`] takes, as a regular expression.
#[cfg(feature = "schema")]
pub const PATTERN: &str = r#"^https?://[A-Za-z0-9.:\[\]-]+(/[!"$-~]*)?$"#;

/// Origin and path of an http or https URL without user, password or fragment.
pub fn split(url: &str) -> Option<(String, String)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme))?;
    let rest = url.strip_prefix(scheme)?;
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let is_clean = !authority.is_empty() && authority.bytes().all(is_plain);
    let visible = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    (is_clean && visible).then(|| (format!("{scheme}{authority}"), path.to_owned()))
}

/// True for an address at this machine: simulators live there.
pub fn is_loopback(origin: &str) -> bool {
    let port = origin.strip_prefix("http://127.0.0.1:").or_else(|| origin.strip_prefix("http://localhost:"));
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_into_origin_and_path() {
        let of = |url: &str| split(url).map(|(origin, path)| format!("{origin} {path}"));
        assert_eq!(of("https://example.com").as_deref(), Some("https://example.com /"));
        assert_eq!(of("http://127.0.0.1:80/a?b=c").as_deref(), Some("http://127.0.0.1:80 /a?b=c"));
        for bad in
            ["", "example.com", "ftp://x/", "https://", "https:///a", "https://u:p@x/", "https://x/a b", "https://x/#f"]
        {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        assert!(is_loopback("http://127.0.0.1:8080") && is_loopback("http://localhost:1"));
        for other in ["https://127.0.0.1:1", "http://127.0.0.1.example.com:1", "http://127.0.0.1:", "http://10.0.0.1:1"]
        {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
