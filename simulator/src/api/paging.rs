//! Pages of lists, and the envelope around them.

use axum::http::Uri;
use serde_json::{Map, Value, json};

use crate::config::Behaviour;
use crate::refusal::Refusal;

/// What a query asks for.
#[derive(Debug)]
pub(super) struct Query {
    /// Name and value, decoded; and the pair as it was sent.
    pairs: Vec<(String, String, String)>,
}

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        let raw = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let pairs = raw.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value), pair.to_owned())
        });
        Self { pairs: pairs.collect() }
    }

    /// A parameter; an empty one counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(found, value, _)| found == name && !value.is_empty())
            .map(|(_, value, _)| value.as_str())
    }

    /// The query with these parameters instead of its own of the same names.
    pub(super) fn with(&self, parameters: &[(&str, String)]) -> String {
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

/// One page of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// From 1.
    pub(super) number: usize,
    /// Items per page.
    pub(super) size: usize,
}

impl Page {
    /// The page a query asks for. More items than allowed are cut to the limit: one shipped client asks for 9999.
    pub(super) fn of(query: &Query, default_size: usize, behaviour: &Behaviour) -> Result<Self, Refusal> {
        let positive = |name: &str, default: usize| match query.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|&number| number > 0)
                .ok_or_else(|| Refusal::invalid(format!("INVALID_{}", name.to_uppercase()))),
        };
        let size = positive("items_per_page", default_size)?;
        Ok(Self { number: positive("page", 1)?, size: size.min(behaviour.max_items_per_page.unwrap_or(usize::MAX)) })
    }

    /// The items of this page; none past the end.
    pub(super) fn of_items<'a, T>(&self, items: &'a [T]) -> &'a [T] {
        let start = (self.number - 1).saturating_mul(self.size).min(items.len());
        &items[start..start.saturating_add(self.size).min(items.len())]
    }
}

/// The envelope of a list: `{ "<name>": [...], "pagination": {...}, "links": {...} }`. Links are paths from the host,
/// with the version in them.
pub(super) fn envelope<T>(
    name: &str,
    uri: &Uri,
    items: &[T],
    behaviour: &Behaviour,
    view: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    let query = Query::of(uri);
    let page = Page::of(&query, 10, behaviour)?;
    let pages = items.len().div_ceil(page.size);
    let link = |relation: &str, number: usize| {
        let query = query.with(&[("page", number.to_string()), ("items_per_page", page.size.to_string())]);
        json!({ "href": format!("{}?{query}", uri.path()), "rel": relation, "method": "GET" })
    };
    let mut links = Map::new();
    if page.number < pages {
        links.insert("next_page".into(), link("next_page", page.number + 1));
    }
    if page.number > 1 {
        links.insert("previous_page".into(), link("previous_page", page.number - 1));
    }
    links.insert("first_page".into(), link("first_page", 1));
    links.insert("last_page".into(), link("last_page", pages.max(1)));
    let number = |value: usize| if behaviour.pagination_as_strings { json!(value.to_string()) } else { json!(value) };
    Ok(json!({
        name: page.of_items(items).iter().map(view).collect::<Vec<_>>(),
        "pagination": {
            "total_items": number(items.len()),
            "total_pages": number(pages),
            "current_page": number(page.number),
            "items_per_page": number(page.size),
        },
        "links": links,
    }))
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

    #[test]
    fn a_page_past_the_end_is_empty() {
        let items = [1, 2, 3];
        assert_eq!(Page { number: 2, size: 2 }.of_items(&items), [3]);
        assert!(Page { number: 3, size: 2 }.of_items(&items).is_empty());
        assert!(Page { number: usize::MAX, size: usize::MAX }.of_items(&items).is_empty());
    }
}
