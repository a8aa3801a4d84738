"""The official client, ayon-python-api, with the fake AYON server."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.ayon import API_KEY


def test_the_official_client_works_with_the_fake_server(served):
    ayon_api = pytest.importorskip("ayon_api", reason="the official client, ayon-python-api, is not installed")
    server = ayon_api.ServerAPI(served.base_url, token=API_KEY)
    try:
        server.create_project("alpha", "alp", library_project=True)
        project = server.get_project("alpha")
        assert (project["name"], project["code"], project["library"]) == ("alpha", "alp", True)
        assert list(server.get_project_names()) == ["alpha"]
        with pytest.raises(ValueError, match="already"):
            server.create_project("alpha", "alp")
        dispatched = server.dispatch_event("airflow.job", project_name="alpha", finished=False, summary={"frames": 7})
        event_id = dispatched.data["id"]
        server.update_event(event_id, status="in_progress")
        event = server.get_event(event_id)
        assert (event["status"], event["summary"]) == ("in_progress", {"frames": 7})
    finally:
        server.close_session()
