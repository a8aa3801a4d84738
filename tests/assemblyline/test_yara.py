"""YARA files: how they are split into signatures."""

from __future__ import annotations

import sys

import pytest

from self_hosted.assemblyline.api.signatures import yara

FILE = r"""
import "pe"
import "math"
include "other.yar"

// rule in_a_comment { condition: true }
private rule helper { condition: true }

rule evil : apt {
  meta:
    id = "E-1"
    version = "2.7"
    sharing = "TLP:AMBER"
    status = "DEPRECATED"
    author = "somebody"
    score = -5
  strings:
    $brace = "} \" \r"
    $bytes = { 4D 5A ?? [2-4] (00 | 01) }
    $regex = /a\/b+/i
  condition:
    helper and pe.is_pe and any of them
} rule second { meta: revision = 3 al_status = "nonsense" condition: true }
"""


def test_a_file_is_split_into_its_rules():
    helper, evil, second = yara.split(FILE, "a.yar")
    assert helper["name"] == "helper"
    assert helper["data"].startswith("private rule helper")
    assert second == {"name": "second", "revision": "3", "data": second["data"]}
    data = evil.pop("data")
    fields = {"signature_id": "E-1", "revision": "2", "classification": "TLP:AMBER", "status": "DISABLED"}
    assert evil == {"name": "evil", **fields}
    assert data.startswith('import "pe"\n')
    for part in (
        "rule evil : apt",
        "score = -5",
        r'$brace = "} \" \r"',
        "$bytes = { 4D 5A ?? [2-4] (00 | 01) }",
        r"/a\/b+/i",
    ):
        assert part in data


def test_a_rule_without_fields_in_its_meta_has_none():
    [row] = yara.split('rule a { meta: version = "" id = "" status = "RELEASED" condition: true }', "a")
    assert set(row) == {"name", "data", "status"}
    assert row["status"] == "DEPLOYED"


def test_a_file_may_have_no_rules():
    assert yara.split('include "a.yar"', "index.yar") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "a.yar: the rules cannot be read: Unknown text nonsense"),
        ("rule a { condition: }", "a.yar: the rules cannot be read"),
        ("rule a { condition: true", "a.yar: the rules cannot be read"),
        ("rule a { condition: true } /* b", "a.yar: the"),
        ('rule a { strings: $a = "b', "a.yar: the"),
    ],
)
def test_text_that_is_no_yara_is_rejected(text, message):
    with pytest.raises(ValueError, match=message):
        yara.split(text, "a.yar")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "plyara", None)
    with pytest.raises(ValueError, match=r"install airflow-provider-self-hosted\[yara\], or give signatures"):
        yara.split(FILE, "a.yar")
