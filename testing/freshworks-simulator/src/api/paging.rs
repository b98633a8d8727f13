//! Pages of lists, and the envelope around them.

use axum::http::Uri;
use serde_json::{Map, Value, json};

use crate::config::{Behaviour, PagePastEnd};
use crate::query::Query;
use crate::refusal::Refusal;

/// One page of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// From 1.
    pub(super) number: usize,
    /// Items per page.
    pub(super) size: usize,
}

impl Page {
    /// The requested page. A larger page size than allowed is reduced to the limit: one shipped client asks for 9999.
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

/// The envelope of a list: `{ "<name>": [...], "pagination": {...}, "links": {...} }`. Links are paths from the host with a
/// version in them, which in the vendor's definitions is not the one of the API. Those give the relation by the kind of the
/// items, with no word for topics.
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
    if let PagePastEnd::WrongPage(code) = behaviour.page_past_end
        && page.number > pages.max(1)
    {
        return Err(Refusal::new(code, "WRONG_PAGE", "The page does not exist in the search result"));
    }
    let path = ["/v1", "/v2"].iter().find_map(|version| uri.path().strip_prefix(version)).unwrap_or_default();
    let link = |number: usize| {
        let query = query.with(&[("page", number.to_string()), ("items_per_page", page.size.to_string())]);
        let mut link = json!({ "href": format!("{}{path}?{query}", behaviour.page_link_version), "type": "GET" });
        if name != "channels" {
            link["rel"] = json!(name.trim_end_matches('s'));
        }
        link
    };
    let mut links = Map::new();
    if page.number < pages {
        links.insert("next_page".into(), link(page.number + 1));
    }
    if page.number > 1 {
        links.insert("previous_page".into(), link(page.number - 1));
    }
    links.insert("first_page".into(), link(1));
    links.insert("last_page".into(), link(pages.max(1)));
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
    fn a_page_past_the_end_is_empty() {
        let items = [1, 2, 3];
        assert_eq!(Page { number: 2, size: 2 }.of_items(&items), [3]);
        assert!(Page { number: 3, size: 2 }.of_items(&items).is_empty());
        assert!(Page { number: usize::MAX, size: usize::MAX }.of_items(&items).is_empty());
    }
}
