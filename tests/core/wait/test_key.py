"""The structured key of a wait."""

from __future__ import annotations

import pytest

from self_hosted.core.wait.key import WaitKey
from tests.core.toy import JOB


@pytest.mark.parametrize("key", [WaitKey("a"), WaitKey("a/b", ("status", "2026-11-24")), WaitKey('["a"]', ('"', ""))])
def test_a_key_survives_its_text(key: WaitKey):
    assert WaitKey.from_text(key.to_text()) == key


@pytest.mark.parametrize("text", ["job-1", "[a]", "", "32377fd7", '["a" TO "b"]'])
def test_a_plain_id_is_a_key_without_condition(text: str):
    assert WaitKey.from_text(text) == WaitKey(text)


def test_keys_with_different_conditions_have_different_texts():
    assert len({WaitKey("a", condition).to_text() for condition in [(), ("b",), ("c",), ("b", "c")]}) == 4


@pytest.mark.parametrize("text", ["job-1", WaitKey("job-1", ("internal",)).to_text()])
def test_messages_show_only_the_id(text: str):
    assert WaitKey.describe(text) == "job-1"
    assert JOB.describe(text) == "job job-1"
