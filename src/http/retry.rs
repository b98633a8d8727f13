//! Which failed requests are sent again within one call, and for how long.
//!
//! Pure. No clock is read here, so each repeat counts as long as it can take at worst; what does not fit into the caller's
//! budget is left to the caller, who can wait.

use crate::http::client::FailureKind;

/// What the repeats of one call have cost, and may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Milliseconds that are left.
    pub left_ms: u64,
    /// Milliseconds that one request takes at worst.
    pub worst_case_ms: u64,
}

impl Budget {
    /// What is left when a request that failed in this way is sent again at once; none when it must not be.
    ///
    /// [`FailureKind::Unavailable`] is the only one for which repeating is both safe and of use: it stands for reads, and for
    /// writes of which nothing reached the other side. `retry_after_ms` is what the vendor asks to wait: that takes a clock.
    pub(crate) fn after_repeat(self, kind: FailureKind, retry_after_ms: Option<u64>) -> Option<Self> {
        let may_repeat = kind == FailureKind::Unavailable && retry_after_ms.is_none();
        let left_ms = self.left_ms.checked_sub(self.worst_case_ms).filter(|_| may_repeat)?;
        Some(Self { left_ms, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureKind::*;

    const BUDGET: Budget = Budget { left_ms: 50_000, worst_case_ms: 25_000 };

    #[test]
    fn only_what_surely_changed_nothing_is_repeated() {
        assert!(BUDGET.after_repeat(Unavailable, None).is_some());
        for kind in
            [Unauthorized, Forbidden, NotFound, NotLatest, Refused, RateLimited, Denied, OutcomeUnknown, Malformed]
        {
            assert_eq!(BUDGET.after_repeat(kind, None), None, "{kind:?}");
        }
    }

    #[test]
    fn a_wait_that_the_vendor_asks_for_is_left_to_the_caller() {
        assert_eq!(BUDGET.after_repeat(Unavailable, Some(1)), None);
    }

    #[test]
    fn repeats_end_with_the_callers_budget() {
        let once = BUDGET.after_repeat(Unavailable, None).unwrap();
        let twice = once.after_repeat(Unavailable, None).unwrap();
        assert_eq!((once.left_ms, twice.left_ms), (25_000, 0));
        assert_eq!(twice.after_repeat(Unavailable, None), None);
        assert_eq!(Budget { left_ms: 0, ..BUDGET }.after_repeat(Unavailable, None), None);
    }
}
