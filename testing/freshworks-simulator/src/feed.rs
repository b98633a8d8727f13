//! A list that grows, and that can be waited on: the journal and the deliveries.

use std::sync::Mutex;

use tokio::sync::watch;

use crate::lock;

#[derive(Debug)]
struct Items<T> {
    /// How many items were cleared: positions count from the very first item.
    cleared: usize,
    items: Vec<T>,
}

/// Items in the order they came.
#[derive(Debug)]
pub(crate) struct Feed<T> {
    items: Mutex<Items<T>>,
    grown: watch::Sender<usize>,
}

impl<T: Clone> Feed<T> {
    pub(crate) fn new() -> Self {
        Self { items: Mutex::new(Items { cleared: 0, items: Vec::new() }), grown: watch::Sender::new(0) }
    }

    pub(crate) fn push(&self, item: T) {
        let mut items = lock(&self.items);
        items.items.push(item);
        let total = items.cleared + items.items.len();
        drop(items);
        self.grown.send_replace(total);
    }

    pub(crate) fn all(&self) -> Vec<T> {
        lock(&self.items).items.clone()
    }

    pub(crate) fn clear(&self) {
        let mut items = lock(&self.items);
        items.cleared += items.items.len();
        items.items.clear();
    }

    /// Waits for the item at `position` (or the first one after it that was not cleared), and moves on.
    pub(crate) async fn next(&self, position: &Mutex<usize>) -> T {
        let mut grown = self.grown.subscribe();
        loop {
            grown.borrow_and_update();
            {
                let mut position = lock(position);
                let items = lock(&self.items);
                *position = (*position).max(items.cleared);
                if let Some(item) = items.items.get(*position - items.cleared) {
                    *position += 1;
                    return item.clone();
                }
            }
            // The sender lives as long as `self`, so this waits rather than fails.
            let _ = grown.changed().await;
        }
    }
}
