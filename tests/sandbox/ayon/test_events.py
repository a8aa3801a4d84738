"""Events of the stand-in: who sees them, who changes them."""

from __future__ import annotations

from tests.sandbox.ayon.asking import KEY, ZEROS, bearer, graphql


def test_events_say_who_sent_the_request_unless_the_name_is_malformed(served, ask):
    for name, sender in (("a", "airflow.1"), ("b", "no good")):
        headers = {**KEY, "X-Sender": sender, "X-Sender-Type": "airflow"}
        ask("POST", "/api/projects", {"name": name, "code": name}, headers=headers)
    assert [event["sender"] for event in served.tables()["events"]] == [None, "airflow.1"]
    query = "query ($projects: [String!]) { events(projects: $projects, last: 1) { edges { node { sender user } } } }"
    body = {"query": query, "variables": {"projects": ["a"]}}
    edges = [{"node": {"sender": "airflow.1", "user": "airflow"}}]
    assert ask("POST", "/graphql", body) == (200, {"data": {"events": {"edges": edges}}})
    assert ask("POST", "/graphql", body, headers=bearer(ask, "anna"))[1]["data"]["events"]["edges"] == []
    assert "errors" in ask("POST", "/graphql", {"query": "{ nope }"})[1]
    assert ask("POST", "/graphql", body, headers={})[0] == 401


def test_events_of_others_are_shown_to_those_who_know_their_ids(served, ask, film):
    session = bearer(ask, "anna")
    event = ask("POST", "/api/events", {"topic": "a.job", "project": "film", "summary": {"n": 1}})[1]["id"]
    by_topic = '{ events(topics: ["a.job"]) { edges { node { id } } } }'
    by_id = "query ($ids: [String!]) { events(ids: $ids) { edges { node { id summary } } } }"
    assert graphql(ask, by_topic, session)["data"]["events"]["edges"] == []
    edges = graphql(ask, by_id, session, ids=[event])["data"]["events"]["edges"]
    assert edges == [{"node": {"id": event, "summary": '{"n": 1}'}}]
    served.seed({"projects": [{"name": "secret", "code": "s", "assignUsers": False}]})
    hidden = ask("POST", "/api/events", {"topic": "a.job", "project": "secret"})[1]["id"]
    assert ask("GET", f"/api/events/{hidden}", headers=session)[0] == 403


def test_the_status_of_an_event_is_a_matter_of_service_users(ask):
    event = ask("POST", "/api/events", {"topic": "a.job", "finished": False})[1]["id"]
    assert ask("PATCH", f"/api/events/{event}", {"status": "in_progress"}) == (204, "")
    refused = ask("PATCH", f"/api/events/{event}", {"status": "failed"}, headers=bearer(ask, "admin"))
    assert refused == (403, {"code": 403, "detail": "Not allowed to update status of this event"})
    assert ask("PATCH", f"/api/events/{event}", {"status": "done"})[0] == 400
    assert ask("GET", f"/api/events/{event}")[1]["status"] == "in_progress"
    assert ask("POST", "/api/events", {"topic": "a.job"}, headers=bearer(ask, "anna"))[0] == 403
    assert ask("GET", f"/api/events/{ZEROS}") == (404, {"code": 404, "detail": "Event not found"})
    assert ask("GET", "/api/events/x")[0] == 400
