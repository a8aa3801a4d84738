"""Splits YARA files into signatures, as the updater of Assemblyline's YARA service does.

The fields of a signature are read from the rule's ``meta``:

- ``id``, ``rule_id`` or ``signature_id``: its own id; default: the rule's name
- ``version``, ``rule_version`` or ``revision``: its revision; default: 1
- ``classification`` or ``sharing``: its classification
- ``status`` or ``al_status``: its first status; RELEASED is DEPLOYED, and DEPRECATED is DISABLED
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from self_hosted.assemblyline.api.signatures.statuses import STATUSES
from self_hosted.core.http.logs import get_logger

FIELDS = {
    "id": "signature_id",
    "rule_id": "signature_id",
    "signature_id": "signature_id",
    "version": "revision",
    "rule_version": "revision",
    "revision": "revision",
    "classification": "classification",
    "sharing": "classification",
    "status": "status",
    "al_status": "status",
}
STATUS_ALIASES = {"RELEASED": "DEPLOYED", "DEPRECATED": "DISABLED"}
NUMBER = re.compile(r"\d+")
END_OF_FILE = "self_hosted_end_of_file"
"""A rule after the last one: it is not found if a file ends within a rule or comment, which the parser accepts."""


def split(text: str, label: str) -> list[dict[str, Any]]:
    """Return the signatures of a YARA file, see `additions.add_many`. Lines with ``include`` are left out.

    :param text: the file's content
    :param label: name of the file, for errors
    :raises ValueError: if the text is no YARA, or plyara is not installed
    """
    try:
        import plyara
        import plyara.exceptions
        from plyara import utils
    except ImportError:
        raise ValueError(
            "YARA files need the package plyara: install airflow-provider-self-hosted[yara], or give signatures"
        ) from None
    parser = _create_parser(plyara.Plyara)
    try:
        rules = parser.parse_string(f"{text}\nrule {END_OF_FILE} {{ condition: true }}")
    except (plyara.exceptions.ParseError, RecursionError) as error:
        raise ValueError(f"{label}: the rules cannot be read: {error!s:.200}") from None
    if not rules or rules[-1]["rule_name"] != END_OF_FILE:
        raise ValueError(f"{label}: the file ends within a rule or comment")
    has_imports = _is_since_2_2(plyara.Plyara)
    return [_build_signature(rule, utils, has_imports=has_imports) for rule in rules[:-1]]


def _create_parser(base: Any) -> Any:
    """Return a parser that accepts a backslash with an r in texts, and negative numbers in ``meta``."""

    class Parser(base):  # type: ignore[misc]
        start = "ruleset"

        def p_negative_number_in_meta(self, p: Any) -> None:
            """meta_kv : ID EQUALS HYPHEN NUM"""  # noqa: D400 a rule of the grammar
            p[3] = f"-{p[4]}"
            self.p_meta_kv(p)

    get_logger("plyara").setLevel("WARNING")  # it logs each line of a rule
    parser = base() if _is_since_2_2(base) else Parser()
    parser.STRING_ESCAPE_CHARS.add("r")
    return parser


def _is_since_2_2(base: Any) -> bool:
    """Whether the parser reads negative numbers, and which modules each rule needs."""
    return "HYPHEN" in str(base.p_meta_kv.__doc__)


def _build_signature(rule: dict[str, Any], utils: Any, *, has_imports: bool) -> dict[str, Any]:
    if not has_imports:
        rule["imports"] = utils.detect_imports(rule)  # only those that this rule needs
    fields = dict(_read_fields(rule.get("metadata") or []))
    return {"name": rule["rule_name"], "data": utils.rebuild_yara_rule(rule), **fields}


def _read_fields(metadata: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for entry in metadata:
        for key, value in entry.items():
            field, text = FIELDS.get(key), str(value).strip()
            if field == "revision":
                numbers = NUMBER.findall(text)
                yield from [("revision", numbers[0])] if numbers else []
            elif field == "status":
                status = STATUS_ALIASES.get(text, text)
                yield from [("status", status)] if status in STATUSES else []
            elif field and text:
                yield field, text
