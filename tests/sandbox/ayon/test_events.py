"""Events at the fake AYON server."""

from __future__ import annotations

from tests.sandbox.ayon.client import KEY, MISSING_ID, log_in, run_query


def test_an_event_names_the_sender_of_the_request_unless_the_header_is_malformed(served, call):
    for name, sender in (("a", "airflow.1"), ("b", "no good")):
        headers = {**KEY, "X-Sender": sender, "X-Sender-Type": "airflow"}
        call("POST", "/api/projects", {"name": name, "code": name}, headers=headers)
    assert [event["sender"] for event in served.tables()["events"]] == [None, "airflow.1"]
    query = "query ($projects: [String!]) { events(projects: $projects, last: 1) { edges { node { sender user } } } }"
    body = {"query": query, "variables": {"projects": ["a"]}}
    edges = [{"node": {"sender": "airflow.1", "user": "airflow"}}]
    assert call("POST", "/graphql", body) == (200, {"data": {"events": {"edges": edges}}})
    assert call("POST", "/graphql", body, headers=log_in(call, "anna"))[1]["data"]["events"]["edges"] == []
    assert "errors" in call("POST", "/graphql", {"query": "{ nope }"})[1]
    assert call("POST", "/graphql", body, headers={})[0] == 401


def test_users_see_events_of_others_only_by_id(served, call, film):
    session = log_in(call, "anna")
    event = call("POST", "/api/events", {"topic": "a.job", "project": "film", "summary": {"n": 1}})[1]["id"]
    by_topic = '{ events(topics: ["a.job"]) { edges { node { id } } } }'
    by_id = "query ($ids: [String!]) { events(ids: $ids) { edges { node { id summary } } } }"
    assert run_query(call, by_topic, session)["data"]["events"]["edges"] == []
    edges = run_query(call, by_id, session, ids=[event])["data"]["events"]["edges"]
    assert edges == [{"node": {"id": event, "summary": '{"n": 1}'}}]
    served.seed({"projects": [{"name": "secret", "code": "s", "assignUsers": False}]})
    hidden = call("POST", "/api/events", {"topic": "a.job", "project": "secret"})[1]["id"]
    assert call("GET", f"/api/events/{hidden}", headers=session)[0] == 403


def test_only_service_users_change_the_status_of_an_event(call):
    event = call("POST", "/api/events", {"topic": "a.job", "finished": False})[1]["id"]
    assert call("PATCH", f"/api/events/{event}", {"status": "in_progress"}) == (204, "")
    forbidden = call("PATCH", f"/api/events/{event}", {"status": "failed"}, headers=log_in(call, "admin"))
    assert forbidden == (403, {"code": 403, "detail": "Not allowed to update status of this event"})
    assert call("PATCH", f"/api/events/{event}", {"status": "done"})[0] == 400
    assert call("GET", f"/api/events/{event}")[1]["status"] == "in_progress"
    assert call("POST", "/api/events", {"topic": "a.job"}, headers=log_in(call, "anna"))[0] == 403
    assert call("GET", f"/api/events/{MISSING_ID}") == (404, {"code": 404, "detail": "Event not found"})
    assert call("GET", "/api/events/x")[0] == 400
