"""Bundles: the flows by hand, the operators against the stand-in."""

from __future__ import annotations

import io
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from self_hosted.assemblyline import api
from self_hosted.assemblyline.operators import AssemblylineExportBundleOperator, AssemblylineImportBundleOperator
from self_hosted.core.errors import Broken, Conflict, NotFound, Overdue, Uncertain
from self_hosted.core.flow import Upload
from self_hosted.core.operator import LINK_KEY
from self_hosted.sandbox.assemblyline.cart import packed
from tests.assemblyline.flows import reply, result_of
from tests.context import context

BUNDLE = Upload("a.al_bundle", lambda: io.BytesIO(b"CART..."), 7)
MISSING, DONE = NotFound("gone"), reply({"success": True})
THERE = reply({"sid": "s", "to_be_deleted": False})
HEADER = {"al": {"type": "archive/bundle/al"}, "name": "3QQ9.tgz"}


# What a CaRT tells


def test_the_header_of_a_cart_tells_which_submission_is_in_it():
    assert api.bundle_sid(packed(b"content", HEADER)[:200]) == "3QQ9"


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"", "no CaRT"),
        (b"CART", "no CaRT"),
        (b"PK\x03\x04" + b"\0" * 60, "no CaRT"),
        (packed(b"", HEADER)[:60], "damaged CaRT"),
        (packed(b"", {"name": "a.exe"}), "no bundle"),
        (packed(b"", {**HEADER, "name": ".tgz"}), "no bundle"),
        (packed(b"", []), "no bundle"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_bundle_is_told(start, words):
    with pytest.raises(ValueError, match=words):
        api.bundle_sid(start)


def test_a_cart_without_a_header_tells_nothing():
    start = packed(b"", {})[:30] + b"\0" * 8
    assert api.cart_header(start) == {}


# Flows


def test_an_export_is_written_to_the_file_it_is_given():
    target = io.BytesIO()
    _, [request] = result_of(api.export_bundle("a/b", lambda: nullcontext(target), use_alert=True), reply())
    assert (request.method, request.target) == ("GET", "/api/v4/bundle/a%2Fb/?use_alert=true")
    with request.save_to() as file:
        file.write(b"CART and so on")
    assert target.getvalue() == b"CART and so on"
    assert request.slow


def test_an_import_says_what_it_is_told_to_and_leaves_out_what_counts_as_yes_whatever_it_is():
    options: Any = {"allow_incomplete": True, "rescan_services": ["A", "B"], "min_classification": "TLP:A"}
    services = reply([{"name": "A", "category": "X"}, {"name": "C", "category": "B"}])
    levels = reply({"UNRESTRICTED": "TLP:C", "levels_aliases": {}, "levels_map_stl": {}, "enforce": True})
    result, steps = result_of(api.import_bundle(BUNDLE, "s", **options), MISSING, services, levels, DONE)
    assert result == {"sid": "s", "imported": True}
    expected = "exist_ok=true&allow_incomplete=true&rescan_services=A%2CB&min_classification=TLP%3AA"
    assert steps[-1].target == f"/api/v4/bundle/?{expected}"
    assert steps[-1].body is BUNDLE


def test_an_import_without_a_rescan_may_be_repeated_and_one_with_it_may_not():
    _, steps = result_of(api.import_bundle(BUNDLE, "s"), MISSING, DONE)
    assert steps[-1].may_be_repeated
    services = reply([{"name": "A", "category": "X"}])
    _, steps = result_of(api.import_bundle(BUNDLE, "s", rescan_services=["A"]), MISSING, services, DONE)
    assert not steps[-1].may_be_repeated


def test_what_is_there_is_not_sent():
    with pytest.raises(Conflict, match="submission s is there already"):
        result_of(api.import_bundle(BUNDLE, "s"), THERE)


def test_of_a_lost_answer_the_submission_tells():
    result, _ = result_of(api.import_bundle(BUNDLE, "s"), MISSING, Uncertain("lost"), MISSING, THERE)
    assert result == {"sid": "s", "imported": True}


def test_whether_the_alert_of_what_was_there_before_was_taken_nothing_tells():
    flow = api.import_bundle(BUNDLE, "s", exist_ok=True, rescan_services=["A"])
    services = reply([{"name": "A", "category": "X"}])
    with pytest.raises(Uncertain) as lost:
        result_of(flow, THERE, services, Uncertain("lost"))
    assert str(lost.value) == "lost"


def test_what_is_there_already_is_not_scanned_anew_so_that_its_import_may_be_repeated():
    services = reply([{"name": "A", "category": "X"}])
    flow = api.import_bundle(BUNDLE, "s", exist_ok=True, rescan_services=["A"])
    result, steps = result_of(flow, THERE, services, DONE)
    assert steps[-1].may_be_repeated
    assert result == {"sid": "s", "imported": False}


def test_an_import_that_left_no_trace_stays_uncertain():
    looks = [MISSING for _ in range(1 + len(api.LOOKS))]
    with pytest.raises(Uncertain):
        result_of(api.import_bundle(BUNDLE, "s"), MISSING, Uncertain("lost"), *looks)


def test_a_submission_that_is_about_to_be_deleted_is_waited_for():
    with pytest.raises(Overdue, match="about to be deleted"):
        result_of(api.import_bundle(BUNDLE, "s"), reply({"sid": "s", "to_be_deleted": True}))


# Operators


@pytest.fixture
def sid(served, submitted):
    served.seed({"delay": 0})
    return submitted("RIG-SCORE:10", metadata={"case": "7"})


def export(told=None, **arguments):
    task = AssemblylineExportBundleOperator(task_id="export", **arguments)
    return task.execute(told or context(task))


def take(try_number=1, **arguments):
    task = AssemblylineImportBundleOperator(task_id="import", **arguments)
    return task.execute(context(task, try_number=try_number))


def test_a_submission_goes_out_of_a_server_and_into_it_again(served, hook, sid, tmp_path):
    path = str(tmp_path / "out" / "a.al_bundle")
    told = context(None)
    result = export(told, sid=sid, output_file=path)
    url = f"{served.base_url}/submission/detail/{sid}"
    assert result == {"sid": sid, "output_file": path, "size": Path(path).stat().st_size, "url": url}
    assert told["ti"].xcoms[LINK_KEY] == url
    hook.delete_submission(sid)
    assert take(file=path) == {"sid": sid, "imported": True, "url": url}
    assert hook.submission(sid)["metadata"]["case"] == "7"


def test_an_object_store_takes_and_gives_a_bundle(hook, sid, tmp_path):
    uri = f"file://{tmp_path}/a.al_bundle"
    assert export(sid=sid, output_file=uri)["size"] > 100
    hook.delete_submission(sid)
    assert take(file=uri)["imported"] is True


def test_an_alert_goes_with_its_submission(served, hook, sid, tmp_path):
    served.seed({"alerts": {"alerts": [{"alert_id": "a1", "sid": sid}]}})
    assert export(alert_id="a1", output_file=str(tmp_path / "a"))["sid"] == sid


def test_what_is_analysed_still_is_not_exported(served, submitted, tmp_path):
    running = submitted("RIG-SLEEP:60")
    with pytest.raises(Overdue, match="is not completed: wait for it first"):
        export(sid=running, output_file=str(tmp_path / "a"))
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_breaks_off_begins_anew_and_one_that_fails_leaves_no_file(served, sid, tmp_path):
    served.fail("drop", method="GET", path="/api/v4/bundle/.*")
    assert api.bundle_sid(Path(export(sid=sid, output_file=str(tmp_path / "a"))["output_file"]).read_bytes()) == sid
    served.fail("status", method="GET", path="/api/v4/bundle/.*", status=500)
    with pytest.raises(Broken):
        export(sid=sid, output_file=str(tmp_path / "b"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_answer_that_is_no_bundle_does_not_pass_for_one(served, sid, tmp_path):
    served.fail("status", method="GET", path="/api/v4/bundle/.*", status=200, body="<html>")
    (tmp_path / "a").write_text("what was there")
    with pytest.raises(Broken, match="is no cart: it begins with b'<htm'"):
        export(sid=sid, output_file=str(tmp_path / "a"))
    assert (tmp_path / "a").read_text() == "what was there"


def test_what_is_there_already_fails_unless_that_is_fine_or_the_task_is_tried_again(sid, tmp_path):
    path = export(sid=sid, output_file=str(tmp_path / "a"))["output_file"]
    with pytest.raises(AirflowFailException, match="is there already"):
        take(file=path)
    assert take(file=path, exist_ok="true")["imported"] is False
    assert take(try_number=2, file=path)["imported"] is False


def test_a_lost_answer_does_no_harm(served, hook, sid, tmp_path):
    path = export(sid=sid, output_file=str(tmp_path / "a"))["output_file"]
    hook.delete_submission(sid)
    served.fail("drop", method="POST", path="/api/v4/bundle/")
    assert take(file=path)["imported"] is True
    assert len(served.tables()["submissions"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"output_file": "a"}, "give either sid or alert_id"),
        ({"output_file": "a", "sid": "s", "alert_id": "a"}, "give either sid or alert_id"),
        ({"output_file": "", "sid": "s"}, "output_file must be the path or URI of a file, not ''"),
        ({"output_file": "folder/", "sid": "s"}, "output_file must be the path or URI of a file, not 'folder/'"),
    ],
)
def test_a_wrong_argument_of_an_export_is_named(conn_id, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        export(**arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"file": "/nosuch"}, "there is no file '/nosuch'"),
        ({"exist_ok": "perhaps"}, "exist_ok must be true or false, not 'perhaps'"),
        ({"rescan_services": [1]}, "rescan_services must be a text or a list of texts"),
        ({}, "is no bundle"),
    ],
)
def test_a_wrong_argument_of_an_import_is_named(conn_id, write, arguments, words):
    with pytest.raises(AirflowFailException, match=words):
        take(**{"file": write("no bundle"), **arguments})
