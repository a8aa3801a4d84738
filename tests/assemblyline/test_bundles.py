"""Bundles: the flows by hand, the operators against the sandbox."""

from __future__ import annotations

import io
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.bundles import bundles, carts
from self_hosted.assemblyline.operators import AssemblylineExportBundleOperator, AssemblylineImportBundleOperator
from self_hosted.core.http.errors import (
    ConflictError,
    NotFoundError,
    NotReadyError,
    OutcomeUnknownError,
    ServerError,
)
from self_hosted.core.http.flow import Upload
from self_hosted.core.tasks.operator import LINK_KEY
from self_hosted.sandbox.assemblyline.cart import pack_cart
from tests.assemblyline.flows import reply, result_of
from tests.context import context

BUNDLE = Upload("a.al_bundle", lambda: io.BytesIO(b"CART..."), 7)
MISSING, DONE = NotFoundError("gone"), reply({"success": True})
THERE = reply({"sid": "s", "to_be_deleted": False})
HEADER = {"al": {"type": "archive/bundle/al"}, "name": "3QQ9.tgz"}


# What a CaRT tells


def test_the_header_of_a_cart_names_its_submission():
    assert carts.read_bundle_sid(pack_cart(b"content", HEADER)[:200]) == "3QQ9"


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"", "no CaRT"),
        (b"CART", "no CaRT"),
        (b"PK\x03\x04" + b"\0" * 60, "no CaRT"),
        (pack_cart(b"", HEADER)[:60], "the CaRT is damaged"),
        (pack_cart(b"", {"name": "a.exe"}), "no bundle"),
        (pack_cart(b"", {**HEADER, "name": ".tgz"}), "no bundle"),
        (pack_cart(b"", []), "no bundle"),  # type: ignore[arg-type]
    ],
)
def test_content_that_is_no_bundle_is_rejected(start, message):
    with pytest.raises(ValueError, match=message):
        carts.read_bundle_sid(start)


def test_a_cart_may_have_no_header():
    start = pack_cart(b"", {})[:30] + b"\0" * 8
    assert carts.read_header(start) == {}


# Flows


def test_an_export_is_written_to_the_given_file():
    target = io.BytesIO()
    _, [request] = result_of(bundles.export_to("a b", lambda: nullcontext(target), use_alert=True), reply())
    assert (request.method, request.target) == ("GET", "/api/v4/bundle/a%20b/?use_alert=true")
    with request.save_to() as file:
        file.write(b"CART and so on")
    assert target.getvalue() == b"CART and so on"
    assert request.long_running


def test_an_import_sends_its_options_and_omits_false_flags():
    options: Any = {"allow_incomplete": True, "rescan_services": ["A", "B"], "min_classification": "TLP:A"}
    services = reply([{"name": "A", "category": "X"}, {"name": "C", "category": "B"}])
    levels = reply({"UNRESTRICTED": "TLP:C", "levels_aliases": {}, "levels_map_stl": {}, "enforce": True})
    result, steps = result_of(bundles.import_from(BUNDLE, "s", **options), MISSING, services, levels, DONE)
    assert result == {"sid": "s", "imported": True}
    expected = "exist_ok=true&allow_incomplete=true&rescan_services=A%2CB&min_classification=TLP%3AA"
    assert steps[-1].target == f"/api/v4/bundle/?{expected}"
    assert steps[-1].body is BUNDLE


def test_only_an_import_without_a_rescan_is_idempotent():
    _, steps = result_of(bundles.import_from(BUNDLE, "s"), MISSING, DONE)
    assert steps[-1].is_idempotent
    services = reply([{"name": "A", "category": "X"}])
    _, steps = result_of(bundles.import_from(BUNDLE, "s", rescan_services=["A"]), MISSING, services, DONE)
    assert not steps[-1].is_idempotent


def test_the_bundle_of_an_existing_submission_is_not_sent():
    with pytest.raises(ConflictError, match="submission s exists already"):
        result_of(bundles.import_from(BUNDLE, "s"), THERE)


def test_the_submission_shows_the_effect_of_an_import_whose_response_was_lost():
    result, _ = result_of(bundles.import_from(BUNDLE, "s"), MISSING, OutcomeUnknownError("lost"), MISSING, THERE)
    assert result == {"sid": "s", "imported": True}


def test_a_lost_response_about_an_existing_submission_stays_unknown():
    flow = bundles.import_from(BUNDLE, "s", exist_ok=True, rescan_services=["A"])
    services = reply([{"name": "A", "category": "X"}])
    with pytest.raises(OutcomeUnknownError) as lost:
        result_of(flow, THERE, services, OutcomeUnknownError("lost"))
    assert str(lost.value) == "lost"


def test_an_existing_submission_is_not_rescanned_so_that_its_import_is_idempotent():
    services = reply([{"name": "A", "category": "X"}])
    flow = bundles.import_from(BUNDLE, "s", exist_ok=True, rescan_services=["A"])
    result, steps = result_of(flow, THERE, services, DONE)
    assert steps[-1].is_idempotent
    assert result == {"sid": "s", "imported": False}


def test_a_lost_import_without_an_effect_stays_unknown():
    looks = [MISSING for _ in range(1 + len(recovery.RECHECK_DELAYS_SECONDS))]
    with pytest.raises(OutcomeUnknownError):
        result_of(bundles.import_from(BUNDLE, "s"), MISSING, OutcomeUnknownError("lost"), *looks)


def test_a_submission_that_is_being_deleted_is_not_ready():
    with pytest.raises(NotReadyError, match="is marked for deletion"):
        result_of(bundles.import_from(BUNDLE, "s"), reply({"sid": "s", "to_be_deleted": True}))


# Operators


@pytest.fixture
def sid(served, submitted):
    served.seed({"delay": 0})
    return submitted("RIG-SCORE:10", metadata={"case": "7"})


def export(task_context=None, **arguments):
    task = AssemblylineExportBundleOperator(task_id="export", **arguments)
    return task.execute(task_context or context(task))


def take(try_number=1, **arguments):
    task = AssemblylineImportBundleOperator(task_id="import", **arguments)
    return task.execute(context(task, try_number=try_number))


def test_an_exported_submission_can_be_imported_again(served, hook, sid, tmp_path):
    path = str(tmp_path / "out" / "a.al_bundle")
    task_context = context(AssemblylineExportBundleOperator(task_id="export", sid=sid, output_uri=path))
    result = export(task_context, sid=sid, output_uri=path)
    url = f"{served.base_url}/submission/detail/{sid}"
    assert result == {"sid": sid, "output_uri": path, "size": Path(path).stat().st_size, "url": url}
    assert task_context["ti"].xcoms[LINK_KEY] == url
    hook.delete_submission(sid)
    assert take(file=path) == {"sid": sid, "imported": True, "url": url}
    assert hook.get_submission(sid)["metadata"]["case"] == "7"


def test_a_bundle_may_be_in_an_object_store(hook, sid, tmp_path):
    uri = f"file://{tmp_path}/a.al_bundle"
    assert export(sid=sid, output_uri=uri)["size"] > 100
    hook.delete_submission(sid)
    assert take(file=uri)["imported"] is True


def test_the_bundle_of_an_alert_contains_its_submission(served, hook, sid, tmp_path):
    served.seed({"alerts": {"alerts": [{"alert_id": "a1", "sid": sid}]}})
    assert export(alert_id="a1", output_uri=str(tmp_path / "a"))["sid"] == sid


def test_a_running_submission_is_not_exported(served, submitted, tmp_path):
    running = submitted("RIG-SLEEP:60")
    with pytest.raises(NotReadyError, match="is not completed: wait for it first"):
        export(sid=running, output_uri=str(tmp_path / "a"))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_export_is_repeated_and_a_failed_one_leaves_no_file(served, sid, tmp_path):
    served.fail("drop", method="GET", path="/api/v4/bundle/.*")
    assert (
        carts.read_bundle_sid(Path(export(sid=sid, output_uri=str(tmp_path / "a"))["output_uri"]).read_bytes()) == sid
    )
    served.fail("status", method="GET", path="/api/v4/bundle/.*", status=500)
    with pytest.raises(ServerError):
        export(sid=sid, output_uri=str(tmp_path / "b"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_bundle_that_is_too_large_is_an_error_and_leaves_no_file(served, sid, tmp_path):
    with pytest.raises(ServerError, match="max_size of the request"):
        export(sid=sid, output_uri=str(tmp_path / "a.al_bundle"), max_size=10)
    assert [*tmp_path.iterdir()] == []


def test_a_response_that_is_no_bundle_is_an_error(served, sid, tmp_path):
    served.fail("status", method="GET", path="/api/v4/bundle/.*", status=200, body="<html>")
    (tmp_path / "a").write_text("what was there")
    with pytest.raises(ServerError, match="is not cart: it starts with b'<htm'"):
        export(sid=sid, output_uri=str(tmp_path / "a"))
    assert (tmp_path / "a").read_text() == "what was there"


def test_an_existing_submission_fails_the_import_except_with_exist_ok_and_in_a_retry(sid, tmp_path):
    path = export(sid=sid, output_uri=str(tmp_path / "a"))["output_uri"]
    with pytest.raises(AirflowFailException, match="exists already"):
        take(file=path)
    assert take(file=path, exist_ok="true")["imported"] is False
    assert take(try_number=2, file=path)["imported"] is False


def test_a_lost_response_makes_no_second_submission(served, hook, sid, tmp_path):
    path = export(sid=sid, output_uri=str(tmp_path / "a"))["output_uri"]
    hook.delete_submission(sid)
    served.fail("drop", method="POST", path="/api/v4/bundle/")
    assert take(file=path)["imported"] is True
    assert len(served.tables()["submissions"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_uri": "a"}, "give exactly one of sid, alert_id"),
        ({"output_uri": "a", "sid": "s", "alert_id": "a"}, "give exactly one of sid, alert_id"),
        ({"output_uri": "", "sid": "s"}, "output_uri must be the path or URI of a file, not ''"),
        ({"output_uri": "folder/", "sid": "s"}, "output_uri must be the path or URI of a file, not 'folder/'"),
    ],
)
def test_an_invalid_argument_of_an_export_is_named(conn_id, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        export(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"file": "/nosuch"}, "^file: '/nosuch' does not exist$"),
        ({"exist_ok": "perhaps"}, "exist_ok must be true or false, not 'perhaps'"),
        ({"rescan_services": [1.5]}, "rescan_services must be a text or a list of texts"),
        ({}, "is not a bundle"),
    ],
)
def test_an_invalid_argument_of_an_import_is_named(conn_id, write, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        take(**{"file": write("no bundle"), **arguments})
