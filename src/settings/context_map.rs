//! Which values of a handoff's context are carried over, and where to. Everything else stays behind.

/// Where one value of the context goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextTarget {
    /// A line of the opening that the human agent reads.
    Shown,
    /// A property of the conversation, for example `cf_order`.
    Conversation(String),
    /// A property of Freshchat's record of the end user.
    User(String),
    /// A field of the ticket: a custom one such as `cf_order`, or one that every desk has, such as `type`.
    Ticket(String),
}

impl ContextTarget {
    /// `shown`, `conversation.<property>`, `user.<property>` or `ticket.<field>`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "shown" {
            return Some(Self::Shown);
        }
        let (place, name) = text.split_once('.')?;
        if !is_name(name) {
            return None;
        }
        match place {
            "conversation" => Some(Self::Conversation(name.to_owned())),
            "user" => Some(Self::User(name.to_owned())),
            "ticket" => Some(Self::Ticket(name.to_owned())),
            _ => None,
        }
    }
}

/// True for what can be the name of a property or field: letters, digits, underscores and hyphens.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=100).contains(&name.len()) && name.bytes().all(is_plain)
}

/// The values of one handoff, by where they go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// Lines of the opening, by name.
    pub shown: Vec<(String, String)>,
    /// Properties of the conversation.
    pub conversation: Vec<(String, String)>,
    /// Properties of the user.
    pub user: Vec<(String, String)>,
    /// Fields of the ticket.
    pub ticket: Vec<(String, String)>,
    /// Values that no rule carries.
    pub left_out: usize,
}

/// Sorts the context by the map, whose names must match exactly; `*` stands for every name that has no rule of its own.
pub(crate) fn carry(map: &[(String, ContextTarget)], context: &[(String, String)]) -> Carried {
    let mut carried = Carried::default();
    for (name, value) in context {
        let has_own = map.iter().any(|(wanted, _)| wanted == name);
        let wanted = if has_own { name.as_str() } else { "*" };
        let mut is_carried = false;
        for (_, target) in map.iter().filter(|(key, _)| key == wanted) {
            is_carried = true;
            match target {
                ContextTarget::Shown => carried.shown.push((name.clone(), value.clone())),
                ContextTarget::Conversation(property) => carried.conversation.push((property.clone(), value.clone())),
                ContextTarget::User(property) => carried.user.push((property.clone(), value.clone())),
                ContextTarget::Ticket(field) => carried.ticket.push((field.clone(), value.clone())),
            }
        }
        carried.left_out += usize::from(!is_carried);
    }
    carried
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_what_is_named_is_carried() {
        let map = [
            ("order".to_owned(), ContextTarget::parse("conversation.cf_order").unwrap()),
            ("order".to_owned(), ContextTarget::parse("shown").unwrap()),
            ("plan".to_owned(), ContextTarget::parse("user.plan").unwrap()),
        ];
        let carried = carry(&map, &pairs(&[("order", "4711"), ("plan", "gold"), ("Order", "x"), ("password", "p")]));
        assert_eq!(carried.conversation, pairs(&[("cf_order", "4711")]));
        assert_eq!(carried.shown, pairs(&[("order", "4711")]));
        assert_eq!(carried.user, pairs(&[("plan", "gold")]));
        assert_eq!(carried.left_out, 2);
    }

    #[test]
    fn a_star_carries_what_has_no_rule_of_its_own() {
        let map = [("*".to_owned(), ContextTarget::Shown), ("a".to_owned(), ContextTarget::Ticket("cf_a".to_owned()))];
        let carried = carry(&map, &pairs(&[("a", "1"), ("b", "2")]));
        assert_eq!((carried.shown, carried.ticket), (pairs(&[("b", "2")]), pairs(&[("cf_a", "1")])));
    }

    #[test]
    fn targets_that_do_not_exist_are_refused() {
        for text in ["", "note", "conversation.", "conversation", "user.a b", "ticket.<x>", "secret.x"] {
            assert_eq!(ContextTarget::parse(text), None, "{text}");
        }
    }
}
