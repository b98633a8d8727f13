//! Lists: pages, filters, order.

use freshworks_simulator::{
    AgentFilters, AgentSpec, Availability, Config, DuplicateUser, MessagePaging, PagePastEnd, StatusList, TopicSpec,
    UserSearch, UserSpec,
};
use serde_json::json;

use crate::support::{Account, fields};

#[tokio::test]
async fn lists_are_paged_with_links_from_the_host() {
    let it = Account::start().await;
    for n in 0..5 {
        it.sim.add_topic(TopicSpec::named(&format!("Topic {n}")));
    }
    let mut path = "/v2/channels?items_per_page=3&sort_by=name".to_owned();
    let mut names = Vec::new();
    for page in 1..=3 {
        // The version in the links is not the one that was asked.
        assert_eq!(path.starts_with("/v1/channels?"), page > 1, "{path}");
        let list = it.get(&path).await.ok();
        assert_eq!(list["pagination"]["current_page"], page);
        assert_eq!(list["pagination"]["total_items"], 7);
        assert_eq!(list["pagination"]["total_pages"], 3);
        names.extend(list["channels"].as_array().unwrap().iter().map(|topic| topic["name"].clone()));
        match list["links"]["next_page"]["href"].as_str() {
            Some(next) => path = next.to_owned(),
            None => assert_eq!(page, 3),
        }
    }
    assert_eq!(names.len(), 7);
    assert!(names.is_sorted_by_key(|name| name.as_str()));
}

#[tokio::test]
async fn a_page_past_the_end_is_wrong_or_empty_and_page_one_always_exists() {
    let it = Account::start().await;
    let path = "/v2/channels?page=9&items_per_page=3";
    let (status, symbol, _) = it.get(path).await.refusal();
    assert_eq!((status, symbol.as_str()), (400, "WRONG_PAGE"));
    it.sim.set_behaviour(|behaviour| behaviour.page_past_end = PagePastEnd::WrongPage(404));
    assert_eq!(it.get(path).await.status, 404);
    it.sim.set_behaviour(|behaviour| behaviour.page_past_end = PagePastEnd::Empty);
    let past = it.get(path).await.ok();
    assert_eq!(past["channels"], json!([]));
    assert_eq!(past["links"].get("next_page"), None);
    it.sim.set_behaviour(|behaviour| behaviour.page_past_end = PagePastEnd::WrongPage(400));
    assert_eq!(it.get("/v2/users?reference_id=nobody").await.ok()["users"], json!([]));
}

#[tokio::test]
async fn links_can_name_the_version_that_was_asked() {
    let it = Account::start().await;
    it.sim.set_behaviour(|behaviour| behaviour.page_link_version = "/v2");
    let list = it.get("/v2/groups?items_per_page=1").await.ok();
    let link = json!({ "href": "/v2/groups?page=1&items_per_page=1", "rel": "group", "type": "GET" });
    assert_eq!(list["links"]["first_page"], link);
}

#[tokio::test]
async fn agents_are_filtered_by_group_and_availability_or_not_at_all() {
    let mut config = Config::default();
    config.agents[1].availability = Availability::Busy;
    config.agents.push(AgentSpec { deactivated: true, ..AgentSpec::named("Ida Berg", "ida@acme.example") });
    let it = Account::with(config).await;
    let names = |query: String| {
        let it = &it;
        async move {
            let agents = it.get(&format!("/v2/agents?{query}")).await.ok();
            let names = agents["agents"].as_array().unwrap().iter().map(|agent| agent["first_name"].clone());
            names.map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }
    };
    let group = &it.group;
    assert_eq!(names(format!("groups={group}&availability_status=AVAILABLE")).await, ["Maya"]);
    assert_eq!(names("availability_status=AVAILABLE".into()).await, ["Maya", "Ida"]);
    assert_eq!(names("availability_status=UNAVAILABLE&is_deactivated=false".into()).await, ["Tom"]);
    assert_eq!(it.get("/v2/agents?groups=nowhere").await.status, 404);
    assert_eq!(it.get("/v2/agents?availability_status=AWAY").await.status, 400);
    it.sim.set_behaviour(|behaviour| behaviour.agent_filters = AgentFilters::Ignored);
    assert_eq!(names(format!("groups={group}&availability_status=UNAVAILABLE")).await.len(), 3);
    it.sim.set_behaviour(|behaviour| behaviour.agent_filters = AgentFilters::Refused);
    assert_eq!(it.get("/v2/agents?availability_status=AVAILABLE").await.status, 400);
    assert_eq!(it.get("/v2/agents?items_per_page=2").await.status, 200);
}

#[tokio::test]
async fn the_states_of_agents_are_listed_under_either_name() {
    let it = Account::start().await;
    let states = it.get("/v2/agents/status").await.ok();
    assert_eq!(fields(&states["states"][0]), ["id", "name"]);
    it.sim.set_behaviour(|behaviour| behaviour.status_list = StatusList::Statuses);
    assert_eq!(it.get("/v2/agents/status").await.ok()["statuses"], states["states"]);
}

#[tokio::test]
async fn a_topic_names_the_group_that_it_is_assigned_to() {
    let it = Account::start().await;
    it.sim.add_topic(TopicSpec { group: Some("Support".into()), ..TopicSpec::named("Returns") });
    let topics = it.get("/v2/channels").await.ok();
    let topic = topics["channels"].as_array().unwrap().last().unwrap();
    assert_eq!(topic["assign_to_group"]["id"], json!(it.group));
    assert_eq!(topics["channels"][0].get("assign_to_group"), None);
}

#[tokio::test]
async fn page_sizes_are_capped_and_nonsense_is_refused() {
    let it = Account::start().await;
    for n in 0..120 {
        it.sim.add_topic(TopicSpec::named(&format!("Topic {n}")));
    }
    let list = it.get("/v2/channels?items_per_page=9999").await.ok();
    assert_eq!(list["channels"].as_array().unwrap().len(), 100);
    assert_eq!(list["pagination"]["items_per_page"], 100);
    it.sim.set_behaviour(|behaviour| {
        behaviour.max_items_per_page = None;
        behaviour.pagination_as_strings = true;
    });
    let list = it.get("/v2/channels?items_per_page=9999").await.ok();
    assert_eq!(list["channels"].as_array().unwrap().len(), 122);
    assert_eq!(list["pagination"]["total_pages"], "1");
    for query in ["page=0", "page=x", "items_per_page=-1"] {
        assert_eq!(it.get(&format!("/v2/channels?{query}")).await.refusal().1, "INVALID_VALUE");
    }
}

#[tokio::test]
async fn users_are_found_by_the_published_filters() {
    let it = Account::start().await;
    let found = |query: &str| {
        let path = format!("/v2/users?{query}");
        let it = &it;
        async move { it.get(&path).await.ok()["users"].as_array().unwrap().len() }
    };
    assert_eq!(found("reference_id=platform-42").await, 1);
    assert_eq!(found("reference_id=platform-4").await, 0);
    assert_eq!(found("reference_id=Platform-42").await, 0);
    assert_eq!(found("email=ANA%40example.org").await, 1);
    assert_eq!(found("email=na%40example.org").await, 0);
    assert_eq!(found("last_name=Lima").await, 1);
    assert_eq!(found("last_name=Lima&first_name=Bo").await, 0, "all filters must fit");
    assert_eq!(found("phone_no=%2B15550100").await, 0);
    let body = json!({ "phone": "+15550100", "email": null, "first_name": "Bo", "unheard_of": { "x": 1 } });
    let user = it.post("/v2/users", body).await.ok();
    assert_eq!(found("phone_no=%2B15550100").await, 1);
    assert_eq!(found("phone_no=1%20555%200100").await, 1);
    assert_eq!(found("phone_no=%2B1555010").await, 0);
    assert!(user.get("email").is_none());

    let id = user["id"].as_str().unwrap();
    let updated = it.put(&format!("/v2/users/{id}"), json!({ "reference_id": "platform-7" })).await;
    assert_eq!((updated.status, updated.body.len()), (200, 0));
    let read = it.get(&format!("/v2/users/{id}")).await.ok();
    assert_eq!((&read["reference_id"], &read["first_name"]), (&json!("platform-7"), &json!("Bo")));
    assert_eq!(it.get("/v2/users/nobody").await.refusal().1, "USER_NOT_FOUND");
    let fetched = it.post("/v2/users/fetch", json!({ "ids": [id, it.user, "nobody"] })).await.ok();
    assert_eq!(fetched["users"].as_array().unwrap().len(), 2);
    assert_eq!(it.post("/v2/users/fetch", json!({ "ids": vec!["x"; 101] })).await.status, 400);

    assert_eq!(found("created_to=2099-01-01T00:00:00.000Z").await, 2);
    assert_eq!(found("updated_from=2099-01-01T00:00:00.000Z").await, 0);
    assert_eq!(it.get("/v2/users?created_to=yesterday").await.refusal().1, "INVALID_VALUE");
}

#[tokio::test]
async fn users_cannot_be_listed_without_a_published_filter() {
    let it = Account::start().await;
    for query in ["", "?page=1", "?phone=%2B15550100", "?email=", "?external_id=platform-42"] {
        assert_eq!(it.get(&format!("/v2/users{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_search_for_users_lies_or_refuses_as_the_switch_says() {
    let it = Account::start().await;
    it.sim.seed_user(UserSpec { reference_id: Some("Platform-421".into()), ..UserSpec::default() });
    let path = "/v2/users?reference_id=platform-42";
    for (search, found) in [(UserSearch::Exact, 1), (UserSearch::Everybody, 2), (UserSearch::Prefix, 2)] {
        it.sim.set_behaviour(|behaviour| behaviour.user_search = search);
        assert_eq!(it.get(path).await.ok()["users"].as_array().unwrap().len(), found, "{search:?}");
    }
    assert_eq!(it.get("/v2/users?reference_id=platform-421").await.ok()["users"].as_array().unwrap().len(), 1);
    for (search, status) in [(UserSearch::Refused, 400), (UserSearch::NotFound, 404)] {
        it.sim.set_behaviour(|behaviour| behaviour.user_search = search);
        assert_eq!(it.get(path).await.refusal().0, status);
    }
}

#[tokio::test]
async fn a_second_user_with_the_same_reference_is_what_the_switch_says() {
    let it = Account::start().await;
    let again = json!({ "reference_id": "platform-42" });
    let second = it.post("/v2/users", again.clone()).await.ok();
    assert_ne!(second["id"], it.user);
    it.sim.set_behaviour(|behaviour| behaviour.duplicate_user = DuplicateUser::Conflict);
    assert_eq!(it.post("/v2/users", again.clone()).await.refusal().0, 409);
    it.sim.set_behaviour(|behaviour| behaviour.duplicate_user = DuplicateUser::ReturnExisting);
    assert_eq!(it.post("/v2/users", again).await.ok()["id"], it.user);
    assert_eq!(it.sim.users().len(), 2);
    let by_phone = it.post("/v2/users", json!({ "phone": "+1 555 0100" })).await.ok();
    assert_eq!(it.post("/v2/users", json!({ "phone": "+15550100" })).await.ok()["id"], by_phone["id"]);
}

#[tokio::test]
async fn messages_are_listed_newest_first_and_the_cursor_loses_none() {
    let it = Account::start().await;
    let id = it.open("0").await;
    let path = format!("/v2/conversations/{id}/messages");
    for n in 1..45 {
        it.post(&path, it.message(&n.to_string())).await.ok();
    }
    for paging in [MessagePaging::Cursor, MessagePaging::Pages] {
        it.sim.set_behaviour(|behaviour| behaviour.message_paging = paging);
        let (mut next, mut texts, mut pages) = (path.clone(), Vec::new(), 0);
        loop {
            let list = it.get(&next).await.ok();
            let messages = list["messages"].as_array().unwrap();
            texts.extend(
                messages.iter().map(|it| it["message_parts"][0]["text"]["content"].as_str().unwrap().to_owned()),
            );
            pages += 1;
            // A message that comes in between must not move the rest.
            it.post(&path, it.message("later")).await.ok();
            match list["link"]["href"].as_str() {
                Some(href) => next = href.to_owned(),
                None => break,
            }
            assert!(next.starts_with(&path));
            assert_eq!(next.contains("from_time="), paging == MessagePaging::Cursor);
        }
        assert!(pages >= 3);
        if paging == MessagePaging::Cursor {
            let expected: Vec<String> = (0..45).rev().map(|n| n.to_string()).collect();
            assert_eq!(texts, expected);
        }
    }
    assert_eq!(it.get(&format!("{path}?items_per_page=2")).await.ok()["messages"].as_array().unwrap().len(), 2);
    assert_eq!(it.get(&format!("{path}?from_time=yesterday")).await.status, 400);
}
