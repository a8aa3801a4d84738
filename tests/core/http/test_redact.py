"""Texts of a server: without secrets and control characters, and short."""

import base64
import json
from urllib.parse import quote

import pytest

from self_hosted.core.http.redact import MAX_EXAMINED_CHARACTERS, Secrets, clean_text, strip_query

SECRET = 'p"a/ss wörd&\\<>='


def to_json(text: str) -> str:
    return json.dumps(text)[1:-1]


FORMS = {
    "plain": SECRET,
    "latin-1": SECRET.encode().decode("latin-1"),
    "Base64": "cCJhL3NzIHfDtnJkJlw8Pj0=",
    "Base64 without padding": "cCJhL3NzIHfDtnJkJlw8Pj0",
    "Base64 quoted": "cCJhL3NzIHfDtnJkJlw8Pj0%3D",
    "URL": "p%22a%2Fss%20w%C3%B6rd%26%5C%3C%3E%3D",
    "URL in lower case": "p%22a%2fss%20w%c3%b6rd%26%5c%3c%3e%3d",
    "URL of a URL": quote(quote(SECRET)),
    "path": quote(SECRET),
    "form": "p%22a%2Fss+w%C3%B6rd%26%5C%3C%3E%3D",
    "JSON": 'p\\"a/ss wörd&\\\\<>=',
    "JSON in ASCII": to_json(SECRET),
    "JSON of PHP": r"p\"a\/ss w\u00F6rd\u0026\\\u003c\u003E=",
    "JSON in JSON": to_json(to_json(SECRET)),
    "JSON in JSON in JSON": to_json(to_json(to_json(SECRET))),
    "HTML": "p&quot;a/ss w&ouml;rd&amp;\\&lt;&gt;=",
    "HTML with numbers": "p&#34;a&#x2F;ss w&#246;rd&#038;\\&#60;&#x3e;=",
    "JSON in Base64": base64.b64encode(to_json(SECRET).encode()).decode(),
    "JSON in a URL": quote(to_json(SECRET)),
    "JSON in a URL of a URL": quote(quote(to_json(SECRET))),
    "Python": repr(SECRET)[1:-1],
    "Python in ASCII": ascii(SECRET)[1:-1],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_replaced_in_every_form(form):
    assert Secrets([SECRET]).clean(f"you sent {FORMS[form]}!") == "you sent ***!"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "x", "xx", "key: ", "???"])
@pytest.mark.parametrize("after", ["", "y", "yy", ", more", "???"])
@pytest.mark.parametrize("secret", ["abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "?>?>?>?>?>"])
def test_a_secret_is_replaced_within_a_text_in_base64(encode, before, after, secret):
    cleaned = Secrets([secret]).clean(encode(f"{before}{secret}{after}".encode()).decode())
    assert "***" in cleaned
    # at most three digits on each side depend on the secret and on its neighbours
    assert len(cleaned) <= len("***") + 6 + len(base64.b64encode(f"{before}{after}".encode()))


def test_characters_beyond_the_basic_plane_are_replaced():
    assert Secrets(["pass🔑word"]).clean(f"{json.dumps('pass🔑word')} {quote('pass🔑word')}") == '"***" ***'


def test_a_secret_with_a_lone_surrogate_is_replaced():
    assert Secrets(["pass\ud83dword"]).redact("pass\ud83dword") == "***"


def test_the_time_to_search_is_proportional_to_the_length():
    # with quadratic patterns, this would take hours
    secrets = Secrets(["\\\\\\\\x", "%%%%%", "a b c d"])
    for character in ("\\", "%25", "&#0", "u00", "a ", "a%20"):
        secrets.redact(character * 100_000)


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
