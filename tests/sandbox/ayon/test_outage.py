"""Tests of sandbox/ayon/outage.py: the responses during an outage, as the real server gives them."""

from __future__ import annotations

import json

import pytest

from self_hosted.sandbox.ayon.outage import COMPONENTS, reply

TEXT, JSON = "text/plain; charset=utf-8", "application/json"
OPERATION = "/api/projects/film/operations/background/7575ebfcecab11f1911102fc00000001"


@pytest.mark.parametrize(
    ("component", "path", "status", "media_type", "start"),
    [
        ("database", "/api/projects", 500, JSON, "ConnectionRefusedError: [Errno 111]"),
        ("database", "/api/auth/login", 500, JSON, "ConnectionRefusedError: [Errno 111]"),
        ("database starting", "/api/info", 500, JSON, "asyncpg.exceptions.CannotConnectNowError: "),
        ("database stopping", "/api/info", 500, JSON, "asyncpg.exceptions.CannotConnectNowError: "),
        ("database lost", "/api/events/1", 500, JSON, "asyncpg.exceptions.ConnectionDoesNotExistError: "),
        ("transaction lost", "/api/projects", 500, JSON, "asyncpg.exceptions._base.InterfaceError: cannot call"),
        ("database frozen", "/api/projects", 500, JSON, "TimeoutError"),
        ("redis lost", "/api/projects", 500, JSON, "redis.exceptions.ConnectionError: Connection closed"),
        ("redis", "/api/auth/login", 500, JSON, "redis.exceptions.ConnectionError: Error 111"),
        ("redis", "/api/projects", 500, TEXT, "Internal Server Error"),
        ("redis", "/api/users/me", 500, TEXT, "Internal Server Error"),
        ("redis", OPERATION, 500, TEXT, "Internal Server Error"),
        ("redis", "/graphql", 500, TEXT, "Internal Server Error"),
        ("sign-in", "/graphql", 500, TEXT, "Internal Server Error"),
        ("sign-in", "/api/auth/login", 500, JSON, "ConnectionRefusedError"),
    ],
)
def test_the_response_depends_on_component_and_path(component, path, status, media_type, start):
    found, headers, body = reply(component, "GET", path)
    assert (found, headers["Content-Type"]) == (status, media_type)
    detail = json.loads(body)["detail"] if media_type == JSON else body.decode()
    assert detail.startswith(start)


def test_without_the_database_graphql_answers_200_with_an_error():
    status, _, body = reply("database", "POST", "/graphql")
    [error] = json.loads(body)["errors"]
    assert (status, error["message"], error["path"]) == (200, "[Errno 111] Connection refused", ["events"])
    assert "extensions" not in error


def test_without_the_database_the_user_and_background_operations_are_still_answered():
    for path, field, value in (("/api/users/me", "name", "airflow"), (OPERATION, "status", "in_progress")):
        status, _, body = reply("database", "GET", path)
        assert (status, json.loads(body)[field]) == (200, value)


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_of_an_outage_affects_projects(component):
    assert reply(component, "GET", "/api/projects")[0] == 500
