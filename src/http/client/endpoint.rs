//! Calls of the vendor's APIs as values: into a request, and out of an answer.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::http::{Method, json};

/// Which of the vendor's products is called. Each has an address and a credential of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Freshchat.
    Chat,
    /// Freshdesk or Freshservice.
    Tickets,
}

/// Whether a request changes anything on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// May be repeated freely.
    Read,
    /// Must not be repeated unless it is certain that nothing happened.
    Write,
}

/// What failures say about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// For logs and errors.
    pub name: &'static str,
    /// What it may have changed.
    pub effect: Effect,
    /// Whose call it is.
    pub service: Service,
}

/// One call of the API.
pub trait Endpoint {
    /// What a good answer gives.
    type Output;
    /// For logs and errors.
    const NAME: &'static str;
    /// Whose call it is; errors name what the admin has to look at.
    const SERVICE: Service = Service::Chat;
    /// The method; reads are `Get`.
    const METHOD: Method;
    /// Follows from the method.
    const EFFECT: Effect = match Self::METHOD {
        Method::Get => Effect::Read,
        Method::Post | Method::Put | Method::Delete => Effect::Write,
    };
    /// All of it together.
    const KIND: Kind = Kind { name: Self::NAME, effect: Self::EFFECT, service: Self::SERVICE };
    /// Fields of the answer's objects that [`Endpoint::answer`] reads, at any depth; none: all of them. For answers that repeat
    /// what was sent, or list much that nobody asks for.
    const FIELDS: &'static [&'static str] = &[];

    /// Path below the version, with query, encoded.
    fn path(&self) -> String;

    /// JSON body; none for reads.
    fn body(&self) -> Option<Value> {
        None
    }

    /// The same as bytes, for bodies that are large or frequent enough to be written without being built.
    fn written(&self) -> Option<Vec<u8>> {
        self.body().map(|body| json::to_string(&body).into_bytes())
    }

    /// A body that is no JSON, with its type; goes before [`Endpoint::body`].
    fn form(&self) -> Option<(String, Vec<u8>)> {
        None
    }

    /// Takes what is needed from the answer; none when it is not there.
    fn answer(body: &Value) -> Option<Self::Output>;
}

/// A call without the type of its answer, so that what all calls share is compiled once.
pub trait Call {
    /// What failures say about it.
    fn kind(&self) -> Kind;
    /// Its method.
    fn method(&self) -> Method;
    /// Its path.
    fn path(&self) -> String;
    /// Its body, with its type; both empty for reads.
    fn content(&self) -> (String, Vec<u8>);
    /// See [`Endpoint::FIELDS`].
    fn fields(&self) -> &'static [&'static str];
}

impl<E: Endpoint> Call for E {
    fn kind(&self) -> Kind {
        E::KIND
    }

    fn method(&self) -> Method {
        E::METHOD
    }

    fn path(&self) -> String {
        Endpoint::path(self)
    }

    fn content(&self) -> (String, Vec<u8>) {
        match self.form() {
            Some(form) => form,
            None => self.written().map(|body| ("application/json".to_owned(), body)).unwrap_or_default(),
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        E::FIELDS
    }
}

/// A list that comes in pages.
pub trait Paged: Endpoint<Output = Page<Self::Item>> {
    /// What the list holds.
    type Item;

    /// The request for one page; the first is 1.
    fn page(number: u32) -> Self;
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In the vendor's order.
    pub items: Vec<T>,
    /// Number of pages, where the vendor says.
    pub total_pages: Option<u32>,
    /// False on the last page.
    pub has_next: bool,
}

/// Everything but the characters that RFC 3986 leaves unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one piece of a path or query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
