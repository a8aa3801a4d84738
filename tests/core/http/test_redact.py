"""Texts of a server: without secrets and control characters, and short."""

import pytest

from self_hosted.core.http.redact import MAX_EXAMINED_CHARACTERS, Secrets, clean_text, strip_query

SECRET = 'p"a/ss wörd'


@pytest.mark.parametrize(
    "echoed",
    [
        SECRET,
        "cCJhL3NzIHfDtnJk",  # base64
        "p%22a%2Fss%20w%C3%B6rd",
        "p%22a%2Fss+w%C3%B6rd",
        'p\\"a/ss wörd',  # in JSON
    ],
)
def test_a_secret_is_replaced_in_every_form(echoed):
    assert Secrets([SECRET]).clean(f"you sent {echoed}!") == "you sent ***!"


def test_the_token_of_a_header_is_a_secret_without_its_scheme():
    secrets = Secrets()
    secrets.add("Bearer abcdefgh")
    assert (
        secrets.clean("Bearer abcdefgh, and abcdefgh; a Bearer is no secret") == "***, and ***; a Bearer is no secret"
    )


def test_of_two_secrets_the_longer_one_is_replaced_first():
    assert Secrets(["abcd", "abcdefgh"]).clean("abcdefgh abcd") == "*** ***"


def test_short_and_empty_secrets_replace_nothing():
    assert Secrets(["", "a"]).clean("a banana") == "a banana"


def test_control_characters_are_removed_and_lines_kept():
    assert clean_text("a\x1b[31mred\x00\u202e\tb\nc\x9b") == "a[31mred\tb\nc"


def test_a_long_text_is_shortened():
    assert clean_text("x" * 501) == "x" * 499 + "…"
    assert clean_text("x" * 500) == "x" * 500


def test_only_the_start_of_a_huge_text_is_examined():
    assert not clean_text("\0" * MAX_EXAMINED_CHARACTERS + "x")


def test_the_representation_shows_no_secret():
    assert "abcdefgh" not in repr(Secrets(["abcdefgh"]))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://u:p@a.example:8443/login?token=s#f", "https://a.example:8443/login"),
        ("/login?token=s", "/login"),
        ("", ""),
        ("http://[", "an invalid URL"),
    ],
)
def test_a_url_is_shown_without_user_and_query(url, expected):
    assert strip_query(url) == expected
