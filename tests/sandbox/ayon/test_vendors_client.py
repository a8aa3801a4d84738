"""The vendor's own client, against the stand-in."""

from __future__ import annotations

import pytest

from self_hosted.sandbox.ayon.product import API_KEY


def test_the_vendors_own_client_works_with_it(served):
    ayon_api = pytest.importorskip("ayon_api", reason="the vendor's client, ayon-python-api, is not installed")
    server = ayon_api.ServerAPI(served.base_url, token=API_KEY)
    try:
        server.create_project("alpha", "alp", library_project=True)
        project = server.get_project("alpha")
        assert (project["name"], project["code"], project["library"]) == ("alpha", "alp", True)
        assert list(server.get_project_names()) == ["alpha"]
        with pytest.raises(ValueError, match="already"):
            server.create_project("alpha", "alp")
        event = server.dispatch_event("airflow.job", project_name="alpha", finished=False, summary={"frames": 7}).data[
            "id"
        ]
        server.update_event(event, status="in_progress")
        found = server.get_event(event)
        assert (found["status"], found["summary"]) == ("in_progress", {"frames": 7})
    finally:
        server.close_session()
