//! The one collection of the store.

use std::collections::HashMap;

/// Rows in the order they were made, found by id.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    by_id: HashMap<String, usize>,
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), by_id: HashMap::new() }
    }

    pub(crate) fn insert(&mut self, id: String, row: T) {
        self.by_id.insert(id, self.rows.len());
        self.rows.push(row);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.by_id.get(id).map(|&at| &self.rows[at])
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.by_id.get(id).map(|&at| &mut self.rows[at])
    }

    pub(crate) fn remove(&mut self, id: &str) {
        let Some(at) = self.by_id.remove(id) else { return };
        self.rows.remove(at);
        self.by_id.values_mut().filter(|other| **other > at).for_each(|other| *other -= 1);
    }

    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }
}
