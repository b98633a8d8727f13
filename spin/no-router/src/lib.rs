//! Stands in for `routefinder`, on which spin-sdk 5 builds a router that cannot be switched off. The bridge has a table of routes of
//! its own and never makes that router. The real crate brings `smartstring`, which is unsound and has no maintainer
//! (RUSTSEC lists it), so nothing of it is compiled in.
//!
//! What is here has the shape that spin-sdk compiles against, and finds nothing: a router of spin-sdk answers 404 to everything.

use std::marker::PhantomData;

/// What a route has captured: nothing.
#[derive(Clone, Debug, Default)]
pub struct Captures<'keys, 'values>(PhantomData<(&'keys (), &'values ())>);

impl Captures<'_, '_> {
    /// The same, borrowed from nobody.
    pub fn into_owned(self) -> Captures<'static, 'static> {
        Captures(PhantomData)
    }

    /// The value of a named part of the path: there is none.
    pub fn get(&self, _name: &str) -> Option<&str> {
        None
    }

    /// The rest of the path: there is none.
    pub fn wildcard(&self) -> Option<&str> {
        None
    }
}

/// A router that keeps its handlers and finds none.
#[derive(Debug)]
pub struct Router<Handler>(Vec<(String, Handler)>);

impl<Handler> Default for Router<Handler> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Handler> Router<Handler> {
    /// A router without routes.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Keeps a handler.
    ///
    /// # Errors
    ///
    /// None: every route is accepted.
    pub fn add(&mut self, route: &str, handler: Handler) -> Result<(), String> {
        self.0.push((route.to_owned(), handler));
        Ok(())
    }

    /// The routes.
    pub fn iter(&self) -> std::slice::Iter<'_, (String, Handler)> {
        self.0.iter()
    }

    /// Finds nothing.
    pub fn best_match(&self, _path: &str) -> Option<Match<'_, Handler>> {
        None
    }
}

impl<'a, Handler> IntoIterator for &'a Router<Handler> {
    type Item = &'a (String, Handler);
    type IntoIter = std::slice::Iter<'a, (String, Handler)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A route that was found. There is never one.
#[derive(Debug)]
pub struct Match<'a, Handler> {
    handler: &'a Handler,
}

impl<'a, Handler> Match<'a, Handler> {
    /// What the path held.
    pub fn captures(&self) -> Captures<'static, 'static> {
        Captures::default()
    }

    /// Who answers.
    pub fn handler(&self) -> &'a Handler {
        self.handler
    }
}
