//! Reading a request's query.

use axum::http::Uri;

/// What a query asks for.
#[derive(Debug)]
pub(crate) struct Query {
    /// Name and value, decoded; and the pair as sent.
    pairs: Vec<(String, String, String)>,
}

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        let raw = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = raw.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value), pair.to_owned())
        });
        Self { pairs: pairs.collect() }
    }

    /// A parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(found, value, _)| found == name && !value.is_empty())
            .map(|(_, value, _)| value.as_str())
    }

    /// The names of all parameters, in the order they were sent.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|(name, ..)| name.as_str())
    }

    /// The query with these parameters replaced.
    pub(crate) fn with(&self, parameters: &[(&str, String)]) -> String {
        let kept = self.pairs.iter().filter(|(name, ..)| parameters.iter().all(|(other, _)| other != name));
        let kept = kept.map(|(_, _, pair)| pair.clone());
        let new = parameters.iter().map(|(name, value)| format!("{name}={value}"));
        new.chain(kept).collect::<Vec<_>>().join("&")
    }
}

/// Undoes form encoding. Bad escapes stay as they are.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match (bytes[at], escape.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (_, Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_decoded() {
        let query = Query::of(&"/v2/users?email=ana%2Bx%40example.org&name=a+b&bad=%zz&page=".parse().unwrap());
        assert_eq!(query.get("email"), Some("ana+x@example.org"));
        assert_eq!(query.get("name"), Some("a b"));
        assert_eq!(query.get("bad"), Some("%zz"));
        assert_eq!(query.get("page"), None);
    }

    #[test]
    fn a_link_keeps_the_other_parameters_as_they_were_sent() {
        let query = Query::of(&"/v2/channels?sort_by=name&page=2&q=%20".parse().unwrap());
        assert_eq!(query.with(&[("page", "3".into())]), "page=3&sort_by=name&q=%20");
    }
}
