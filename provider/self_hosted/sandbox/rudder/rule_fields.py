"""The fields of a rule in a request, normalized as Rudder stores them."""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.rudder.calls import Call
from self_hosted.sandbox.rudder.decoding import DecodingError, decode_bool, decode_list, decode_object, decode_text
from self_hosted.sandbox.rudder.rule_targets import decode_targets

TEXT_FIELDS = ("displayName", "categoryId", "shortDescription", "longDescription")
JSON_FIELDS = ("directives", "targets", "tags")


def parse_fields(call: Call) -> dict[str, Any]:
    """Return the known fields of the request. Rudder ignores unknown fields, and JSON with another content type.

    :raises DecodingError: if a field is malformed
    """
    given = decode_object(call, JSON_FIELDS)
    if "category" in given:
        given = {"categoryId": given["category"], **given}
    fields: dict[str, Any] = {
        name: decode_text(f".{name}", given[name]) for name in (*TEXT_FIELDS, "id", "source") if name in given
    }
    if "enabled" in given:
        fields["enabled"] = decode_bool(".enabled", given["enabled"], is_form=call.body is None)
    if "directives" in given:
        directives = decode_list(".directives", given["directives"])
        fields["directives"] = sorted({decode_text(f".directives[{i}]", name) for i, name in enumerate(directives)})
    if "targets" in given:
        fields["targets"] = [decode_targets(decode_list(".targets", given["targets"]))]
    if "tags" in given:
        fields["tags"] = _decode_tags(decode_list(".tags", given["tags"]))
    return fields


def _decode_tags(tags: list[Any]) -> list[dict[str, str]]:
    """Return the tags in the order of their names."""
    pairs = []
    for i, tag in enumerate(tags):
        if not isinstance(tag, dict):
            raise DecodingError(f".tags[{i}](expected '{{')")
        pairs += [(name, decode_text(f".tags[{i}].{name}", value)) for name, value in tag.items()]
    return [{name: value} for name, value in sorted(pairs, key=lambda pair: pair[0])]
