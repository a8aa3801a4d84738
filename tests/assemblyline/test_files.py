"""Results, files and downloads: what is asked, and what comes of odd answers."""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from self_hosted.assemblyline import api
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.errors import Broken, Forbidden, NotFound, Uncertain
from self_hosted.core.flow import Secret
from self_hosted.core.storage import written
from tests.assemblyline.flows import reply, result_of

SHA256 = hashlib.sha256(b"words").hexdigest()
KEY = f"{SHA256}.Extract.v4_7_0_1.c0"


def test_a_key_tells_file_service_and_version():
    assert api.result_key(KEY) == (SHA256, "Extract", "4.7.0.1", False, None)


def test_a_key_tells_an_empty_result():
    assert api.result_key(f"{KEY}.e").is_empty
    assert api.result_key(f"{KEY}.e").error is None


@pytest.mark.parametrize(
    ("code", "meaning"),
    [(0, "unknown"), (1, "exception"), (10, "max depth reached"), (21, "service down"), (30, "task pre-empted")],
)
def test_a_key_tells_what_went_wrong(code, meaning):
    found = api.result_key(f"{KEY}.e{code}")
    assert (found.error, found.is_empty) == (meaning, False)


def test_an_error_of_a_newer_server_is_told_by_its_number():
    assert api.result_key(f"{KEY}.e77").error == "error 77"


@pytest.mark.parametrize("key", ["", SHA256, f"{SHA256}.Extract", f"{KEY}.x", KEY.upper()])
def test_what_is_no_key_is_refused_before_anything_is_sent(key):
    with pytest.raises(ValueError, match="no key of a result"):
        api.service_result(key)


def test_many_keys_are_asked_for_a_hundred_at_once():
    keys = [f"{KEY}{number}" for number in range(150)]
    parts = [{"result": dict.fromkeys(some, 1), "error": {}} for some in (keys[:100], keys[100:])]
    found, steps = result_of(api.service_results(keys, [f"{KEY}.e1"]), *map(reply, parts))
    assert [len(step.json["result"]) for step in steps] == [100, 50]
    assert [step.json["error"] for step in steps] == [[], [f"{KEY}.e1"]]
    assert list(found["result"]) == keys


def test_no_keys_ask_nobody():
    with pytest.raises(StopIteration) as end:
        next(api.service_results([]))
    assert end.value.value == {"result": {}, "error": {}}


@pytest.mark.parametrize("name", ["a OR b", "*", 'a"', ""])
@pytest.mark.parametrize(("whose", "listed"), [("group", api.group_submissions), ("user", api.user_submissions)])
def test_a_name_that_would_be_read_as_a_query_is_refused(name, whose, listed):
    with pytest.raises(ValueError, match=f"{whose} must be a name of letters"):
        listed(name)


def test_a_list_ends_where_the_servers_window_does():
    with pytest.raises(ValueError, match="10000 together at most"):
        api.user_submissions("admin", offset=9_950)


@pytest.mark.parametrize("sha256", ["", "abc", "../../etc", SHA256 + "0", None])
def test_what_is_no_sha256_is_refused(sha256):
    with pytest.raises(ValueError, match="64 hex digits"):
        api.file_info(sha256)


@pytest.mark.parametrize(
    ("encoding", "password", "words"),
    [
        ("tar", None, "cart, zip, raw"),
        ("raw", "secret", "'zip' only"),
        ("zip", "  ", "1 to 128"),
        ("zip", "x" * 129, "1 to 128"),
        ("zip", "a\nb", "control"),
    ],
)
def test_what_the_server_would_not_take_is_refused(encoding, password, words):
    with pytest.raises(ValueError, match=words) as problem:
        api.check_download(encoding, password)
    assert password is None or password not in str(problem.value)


def test_a_zips_password_is_masked_as_it_is_and_as_it_stands_in_the_address():
    _, steps = result_of(api.download_file(SHA256, io.BytesIO, encoding="zip", password="p&q r"), *[reply()] * 3)
    assert steps[:2] == [Secret("p&q r"), Secret("p%26q+r")]
    assert parse_qs(urlsplit(steps[2].target).query)["password"] == ["p&q r"]
    assert "password" not in steps[2].path


def test_an_error_does_not_show_a_zips_password(served, hook):
    flow = api.download_file("0" * 64, io.BytesIO, encoding="zip", password="hush-hush")
    with pytest.raises(NotFound, match="not found") as problem:
        hook.run(flow)
    assert "hush" not in str(problem.value)


def test_a_password_is_not_sent_when_none_is_given():
    _, [request] = result_of(api.download_file(SHA256, io.BytesIO, encoding="zip"), reply())
    assert "password" not in request.target


@pytest.mark.parametrize(
    ("encoding", "content", "words"),
    [("raw", b"other words", "has the SHA-256"), ("cart", b"words", "is no cart"), ("zip", b"", "is no zip")],
)
def test_what_is_not_the_file_leaves_nothing_behind(tmp_path, encoding, content, words):
    path = tmp_path / "kept"
    path.write_text("before")
    _, [request] = result_of(api.download_file(SHA256, lambda: written(str(path)), encoding=encoding), reply())
    with pytest.raises(Broken, match=words), request.save_to() as file:
        file.write(content)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"kept": "before"}


def test_what_comes_in_pieces_is_looked_at_as_a_whole(tmp_path):
    _, [request] = result_of(api.download_file(SHA256, lambda: written(str(tmp_path / "a")), encoding="raw"), reply())
    with request.save_to() as file:
        for piece in (b"w", b"or", b"ds"):
            file.write(piece)
    assert (tmp_path / "a").read_bytes() == b"words"


@pytest.fixture
def breaking_off(connect, served):
    """A server whose downloads end early: as many as told, then whole ones. Returns a hook to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as ended:

        def start(times: int) -> AssemblylineHook:
            thread = threading.Thread(target=serve, args=(times,))
            thread.start()
            ended.callback(thread.join)
            port = listener.getsockname()[1]
            connection = served.connection(
                host=f"http://127.0.0.1:{port}", extra={"retry_budget": 1 if times > 1 else 20}
            )
            return AssemblylineHook(connect("breaking", connection))

        def serve(times: int) -> None:
            listener.settimeout(1.5)
            with contextlib.suppress(TimeoutError):
                for number in range(times + 1):
                    client, _ = listener.accept()
                    with client:
                        client.recv(65536)
                        body = b"words" if number == times else b"wo"
                        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" + body)

        yield start


def test_a_download_that_breaks_off_is_tried_again(breaking_off, ask, tmp_path):
    path = tmp_path / "a"
    ask(breaking_off(1), api.download_file(SHA256, lambda: written(str(path)), encoding="raw"))
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"words"]


def test_a_download_that_keeps_breaking_off_leaves_nothing(breaking_off, ask, tmp_path):
    flow = api.download_file(SHA256, lambda: written(str(tmp_path / "a")), encoding="raw")
    with pytest.raises(Uncertain, match="answer was lost"):
        ask(breaking_off(50), flow)
    assert list(tmp_path.iterdir()) == []


def test_administrators_may_switch_off_downloads(served, hook):
    served.seed({"configuration": {"ui.allow_raw_downloads": False, "ui.allow_zip_downloads": False}})
    sha256 = hook.submit({"plaintext": "words"}, {})["files"][0]["sha256"]
    for encoding, words in (("raw", "RAW file download"), ("zip", "PROTECTED file download")):
        with pytest.raises(Forbidden, match=words):
            hook.download_file(sha256, io.BytesIO, encoding=encoding)


def test_a_purged_file_keeps_its_record(served, connect):
    hook = AssemblylineHook(connect("full", served.connection(extra={"api_key": "full:full-secret"})))
    sha256 = hook.submit({"plaintext": "words"}, {})["files"][0]["sha256"]
    hook.purge_file(sha256)
    hook.purge_file(sha256)
    assert hook.file_info(sha256)["size"] == 5
    with pytest.raises(NotFound, match="not found in the system"):
        hook.file_ascii(sha256)
    with pytest.raises(NotFound, match="not found in the system"):
        hook.download_file(sha256, io.BytesIO)
