"""Access proxies before a product: they answer with a login page, and the error names the field for headers."""

from __future__ import annotations

import pytest

from self_hosted.core.http.errors import AuthenticationError, SelfHostedError
from tests.hostile.conftest import HOOKS
from tests.hostile.server import canned

PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
TYPE = {"Content-Type": "text/html; charset=utf-8"}
RESPONSES = {
    200: canned(200, TYPE, PAGE),
    302: canned(302, {"Location": "https://login.example.com/?next=hidden"}),
    401: canned(401, TYPE, PAGE),
    403: canned(403, TYPE, PAGE),
}
HINT = r"if an access proxy responded, add its headers to the connection \(Extra request headers\)"
CASES = [(product, status) for product in HOOKS for status in RESPONSES if (product, status) != ("rudder", 401)]


@pytest.mark.parametrize(("product", "status"), CASES)
def test_the_error_names_the_field_for_headers(hostile, connect_product, run_flow, product, status):
    hostile.respond = RESPONSES[status]
    hook = connect_product(product)
    with pytest.raises(SelfHostedError, match=HINT) as error:
        run_flow(hook, hook.verify_credentials())
    assert "hidden" not in str(error.value)


def test_the_page_of_rudder_for_a_wrong_token_is_not_taken_for_a_proxy(hostile, connect_product, run_flow):
    hostile.respond = RESPONSES[401]
    hook = connect_product("rudder")
    with pytest.raises(
        AuthenticationError, match=r"the API token is missing, unknown, expired or disabled \(HTTP 401\)"
    ):
        run_flow(hook, hook.verify_credentials())
