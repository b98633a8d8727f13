//! The products of the ticket service, and their codes.

/// The product of the ticket service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicketProduct {
    /// Freshdesk: single objects are not wrapped, lists are arrays, chat is source 7.
    #[default]
    Freshdesk,
    /// Freshservice: responses are wrapped (`{"ticket": {...}}`), chat is source 4.
    Freshservice,
}

impl TicketProduct {
    /// The codes of sources, with their names.
    pub(crate) fn sources(self) -> &'static [(u64, &'static str)] {
        match self {
            Self::Freshdesk => &[
                (1, "Email"),
                (2, "Portal"),
                (3, "Phone"),
                (7, "Chat"),
                (9, "Feedback Widget"),
                (10, "Outbound Email"),
            ],
            Self::Freshservice => &[
                (1, "Email"),
                (2, "Portal"),
                (3, "Phone"),
                (4, "Chat"),
                (5, "Feedback Widget"),
                (6, "Yammer"),
                (7, "AWS Cloudwatch"),
                (8, "Pagerduty"),
                (9, "Walkup"),
                (10, "Slack"),
            ],
        }
    }

    /// The codes of statuses, with their names. Accounts add more from 6 on; a new Freshdesk account is said to have these.
    pub(crate) fn statuses(self) -> &'static [(u64, &'static str)] {
        const ALL: [(u64, &str); 6] = [
            (2, "Open"),
            (3, "Pending"),
            (4, "Resolved"),
            (5, "Closed"),
            (6, "Waiting on Customer"),
            (7, "Waiting on Third Party"),
        ];
        match self {
            Self::Freshdesk => &ALL,
            Self::Freshservice => ALL.split_at(4).0,
        }
    }

    /// The most bytes that a ticket's text and files may have together.
    pub(crate) fn size_limit(self) -> usize {
        match self {
            Self::Freshdesk => 20 << 20,
            Self::Freshservice => 15 << 20,
        }
    }
}

/// The codes of priorities, with their names.
pub(crate) const PRIORITIES: [(u64, &str); 4] = [(1, "Low"), (2, "Medium"), (3, "High"), (4, "Urgent")];

/// The types of tickets in a new account.
pub(crate) const TYPES: [&str; 4] = ["Question", "Incident", "Problem", "Feature Request"];
