//! Pages of lists: `page` and `per_page`, the next page in the `Link` header.

use axum::http::Uri;

use super::refusal::FieldError;
use crate::query::Query;

/// The most items of a page.
const MAX_PER_PAGE: usize = 100;

/// The most pages of a list.
const MAX_PAGES: usize = 300;

/// One page of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// The requested page; by default the first, of 30 items. A larger page size than allowed is refused.
    pub(super) fn of(query: &Query) -> Result<Self, FieldError> {
        let positive = |name: &str, default: usize, most: usize| match query.get(name) {
            None => Ok(default),
            Some(text) => text.parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| {
                let message = format!("It should be a Positive Integer less than or equal to {most}");
                FieldError::new(name, "invalid_value", message)
            }),
        };
        Ok(Self { number: positive("page", 1, MAX_PAGES)?, size: positive("per_page", 30, MAX_PER_PAGE)? })
    }

    /// The items of this page; none past the end. And the `Link` header, absent on the last page.
    pub(super) fn of_items<'a, T>(&self, items: &'a [T], origin: &str, uri: &Uri) -> (&'a [T], Option<String>) {
        let start = ((self.number - 1) * self.size).min(items.len());
        let end = (start + self.size).min(items.len());
        let link = (end < items.len()).then(|| {
            let page = [("page", (self.number + 1).to_string()), ("per_page", self.size.to_string())];
            format!("<{origin}{}?{}>; rel=\"next\"", uri.path(), Query::of(uri).with(&page))
        });
        (&items[start..end], link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_has_no_link() {
        let uri: Uri = "/api/v2/tickets?email=a%40b.example&per_page=2".parse().unwrap();
        let page = |number| Page { number, size: 2 }.of_items(&[1, 2, 3], "http://here", &uri);
        let link = "<http://here/api/v2/tickets?page=2&per_page=2&email=a%40b.example>; rel=\"next\"";
        assert_eq!(page(1), (&[1, 2][..], Some(link.to_owned())));
        assert_eq!(page(2), (&[3][..], None));
        assert_eq!(page(3), (&[][..], None));
    }

    #[test]
    fn pages_have_limits() {
        let page = |query: &str| Page::of(&Query::of(&format!("/x?{query}").parse().unwrap()));
        assert!(page("per_page=100&page=300").is_ok());
        for bad in ["per_page=101", "per_page=0", "per_page=x", "page=0", "page=301"] {
            assert_eq!(page(bad).unwrap_err().code, "invalid_value", "{bad}");
        }
    }
}
