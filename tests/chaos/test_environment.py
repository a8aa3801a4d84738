"""The environment of the campaign: connections and folders."""

from __future__ import annotations

import json

from chaos import environment
from chaos.environment import add_extra
from chaos.faults import CONNECTION_TIMEOUTS
from chaos.sandbox import RestartableSandbox
from self_hosted.core.connection.settings import read_connection
from self_hosted.rudder.hook import RudderHook


def test_connections_have_the_timeouts_of_the_campaign(tmp_path, monkeypatch):
    with RestartableSandbox(tmp_path) as sandbox:
        connections = sandbox.get("connections")
    assert set(connections) == {f"{product}_default" for product in ("assemblyline", "ayon", "rudder", "atrocore")}
    changed = {conn_id: add_extra(connection, CONNECTION_TIMEOUTS) for conn_id, connection in connections.items()}
    monkeypatch.setenv("AIRFLOW_CONN_RUDDER_DEFAULT", json.dumps(changed["rudder_default"]))
    hook = RudderHook()
    address = read_connection(hook.get_connection(hook.conn_id), hook.form).address
    assert {name: getattr(address, name) for name in CONNECTION_TIMEOUTS} == CONNECTION_TIMEOUTS
    assert changed["assemblyline_default"]["extra"]["api_key"]  # the sandbox's own extra fields remain


def test_each_run_has_a_new_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    folder = environment.create_run_folder("campaign")
    assert folder.is_dir()
    assert folder.parent == tmp_path / ".chaos"
