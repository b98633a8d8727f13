//! Names that admins write, matched against what the account has. Pure; shared by `connect`, which explains a miss, and
//! by handoffs, which fall back.

use crate::conversation::identity;
use crate::freshchat::endpoints::{Agent, Channel, Group};
use handoff_contract::model::{AgentId, ChannelId, GroupId};

/// What became of the wanted topic names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TopicChoice {
    /// It exists and is switched on.
    Found {
        /// Its id.
        id: ChannelId,
        /// The name of the list that matched.
        name: String,
        /// How many topics bear that name.
        count: usize,
    },
    /// It exists, but is switched off.
    Disabled {
        /// The name of the list that matched.
        name: String,
    },
    /// None exists, but one differs only in case, spaces or quotation marks.
    Near {
        /// The name that was wanted.
        wanted: String,
        /// The name that exists.
        exists: String,
    },
    /// None exists.
    Missing,
}

/// Picks the topic: the first name of the list that matches exactly. Among several of one name, one that is switched on
/// and belongs to the messenger wins, then the first.
pub(crate) fn choose_topic(channels: &[Channel], names: &[String]) -> TopicChoice {
    let mut disabled = None;
    for name in names {
        let same: Vec<&Channel> = channels.iter().filter(|channel| channel.name == *name).collect();
        let usable = |channel: &&&Channel| channel.enabled;
        let best = same.iter().filter(usable).find(|channel| channel.is_messenger).or_else(|| same.iter().find(usable));
        if let Some(best) = best {
            return TopicChoice::Found { id: best.id.clone(), name: name.clone(), count: same.len() };
        }
        if !same.is_empty() && disabled.is_none() {
            disabled = Some(TopicChoice::Disabled { name: name.clone() });
        }
    }
    let near = names.iter().find_map(|wanted| {
        let exists = channels.iter().find(|channel| squeeze(&channel.name) == squeeze(wanted))?;
        Some(TopicChoice::Near { wanted: wanted.clone(), exists: exists.name.clone() })
    });
    disabled.or(near).unwrap_or(TopicChoice::Missing)
}

/// The group of that name or id. Names are compared exactly, then without regard to case.
pub(crate) fn choose_group(groups: &[Group], wanted: &str) -> Option<GroupId> {
    let exact = groups.iter().find(|group| group.name == wanted || group.id.as_str() == wanted);
    // Names of symbols alone have nothing left to compare.
    let similar = |group: &&Group| !squeeze(wanted).is_empty() && squeeze(&group.name) == squeeze(wanted);
    exact.or_else(|| groups.iter().find(similar)).map(|group| group.id.clone())
}

/// The human agent of that e-mail address or id.
pub(crate) fn choose_agent<'a>(agents: &'a [Agent], wanted: &str) -> Option<&'a Agent> {
    let same = |agent: &&Agent| {
        agent.id.as_str() == wanted || agent.email.as_deref().is_some_and(|email| identity::same_email(email, wanted))
    };
    agents.iter().find(same)
}

/// A human agent who is given by e-mail address must be looked up; anything else is an id already.
pub fn agent_id(wanted: &str) -> Option<AgentId> {
    (!wanted.contains('@')).then(|| AgentId(wanted.to_owned()))
}

/// Without spaces, quotation marks and other punctuation, and in lower case as far as ASCII goes: what people get wrong.
fn squeeze(name: &str) -> String {
    const QUOTES: [char; 8] = ['‘', '’', '“', '”', '„', '«', '»', '\u{200b}'];
    let counts = |letter: &char| !letter.is_whitespace() && !letter.is_ascii_punctuation() && !QUOTES.contains(letter);
    name.chars().filter(counts).map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: &str, name: &str, enabled: bool, is_messenger: bool) -> Channel {
        Channel { id: id.into(), name: name.into(), enabled, is_messenger }
    }

    #[test]
    fn the_first_name_that_exists_is_used() {
        let channels =
            [channel("1", "Inbox", true, true), channel("2", "B", true, true), channel("3", "A", true, true)];
        let names = ["Nope", "A", "B"].map(str::to_owned);
        let found = TopicChoice::Found { id: "3".into(), name: "A".into(), count: 1 };
        assert_eq!(choose_topic(&channels, &names), found);
    }

    #[test]
    fn among_twins_the_usable_one_wins() {
        let channels = [channel("1", "A", false, true), channel("2", "A", true, false), channel("3", "A", true, true)];
        let found = TopicChoice::Found { id: "3".into(), name: "A".into(), count: 3 };
        assert_eq!(choose_topic(&channels, &["A".to_owned()]), found);
        assert_eq!(choose_topic(&channels[..1], &["A".to_owned()]), TopicChoice::Disabled { name: "A".into() });
    }

    #[test]
    fn near_misses_are_pointed_out() {
        let names = ["Sendbird Integration".to_owned()];
        for exists in
            ["sendbird integration", "Sendbird  Integration ", "“Sendbird Integration”", "SendbirdIntegration"]
        {
            let near = TopicChoice::Near { wanted: names[0].clone(), exists: exists.into() };
            assert_eq!(choose_topic(&[channel("1", exists, true, true)], &names), near);
        }
        assert_eq!(choose_topic(&[channel("1", "Support", true, true)], &names), TopicChoice::Missing);
    }

    #[test]
    fn groups_are_similar_only_by_letters() {
        let group = |id: &str, name: &str| Group { id: id.into(), name: name.into() };
        let groups = [group("1", "***"), group("2", "Second  Line")];
        assert_eq!(choose_group(&groups, "second line"), Some("2".into()));
        assert_eq!(choose_group(&groups, "---"), None);
        assert_eq!(choose_group(&groups, "***"), Some("1".into()));
    }
}
