"""Attribute values of products before core 2.0: records of the entity ``ProductAttributeValue``.

A value has the type of its attribute. Of a multilingual attribute, the row of the first additional language is created.
"""

from __future__ import annotations

from typing import Any

from self_hosted.sandbox.atrocore.errors import CONSTRAINTS, ApiError
from self_hosted.sandbox.atrocore.fields import Attribute
from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.record_index import to_text
from self_hosted.sandbox.atrocore.state import Record, State
from self_hosted.sandbox.atrocore.values import cast, to_stored

OPTION_TYPES = frozenset({"extensibleEnum", "extensibleMultiEnum"})
KEY = ("productId", "attributeId", "language", "channelId")
ECHOED_TYPES = frozenset({"date", "datetime"})
CONSTANTS: Values = {
    "isPavRelationInherited": False,
    "isPavValueInherited": False,
    "attributeGroupId": None,
    "attributeGroupName": None,
    "attributeFileTypeId": None,
    "prohibitedEmptyValue": False,
    "min": None,
    "max": None,
    "maxLength": None,
    "countBytesInsteadOfCharacters": False,
    "amountOfDigitsAfterComma": None,
    "useDisabledTextareaInViewMode": False,
    "isValueReadOnly": False,
    "attributeEntityType": None,
    "attributeEntityField": None,
    "attributeIsDropdown": False,
    "channelCode": None,
    "attributeTooltip": None,
    "attributeNotNull": False,
    "attributeTrim": False,
}


class AttributeValueHooks(Hooks):
    """The rules of attribute values."""

    def before_create(self, state: State, values: Values) -> Values:
        """Check the attribute, and set the language.

        :raises ApiError: if the attribute or the option is unknown, or the product has a value of the attribute
        """
        attribute = _get_attribute(state, values.get("attributeId"))
        languages = state.languages if attribute.get("isMultilang") else []
        values = {"language": next(iter(languages), "main"), **values}
        if _find_same_key(state, values):
            raise ApiError(400, CONSTRAINTS)
        return _cast_value(state, attribute, values)

    def after_create(self, state: State, record: Record, values: Values) -> None:
        """Store the value with its type."""
        _store_value(state, record, values)

    def before_update(self, state: State, record: Record, values: Values) -> Values:
        """Cast the value.

        :raises ApiError: if the attribute or the option is unknown
        """
        return _cast_value(state, _get_attribute(state, values.get("attributeId", record["attributeId"])), values)

    def after_update(self, state: State, record: Record, values: Values) -> None:
        """Store the value with its type."""
        _store_value(state, record, values)

    def render(self, state: State, record: Record, rendered: Values) -> Values:
        """Add what follows from the attribute."""
        attribute = state.records["Attribute"].get(record["attributeId"], {})
        language = record.get("language")
        title = {"attributeName": f"{attribute.get('name')} / {language}"} if language != "main" else {}
        nulls = {name: None for name in ("valueUnitId", "channelId", "value") if name not in rendered}
        return {
            **rendered,
            **CONSTANTS,
            **nulls,
            **title,
            "channel": record.get("channelId") or "",
            "attributeType": attribute.get("type"),
            "attributeIsMultilang": bool(attribute.get("isMultilang")),
            "attributeCode": attribute.get("code"),
        }


HOOKS["ProductAttributeValue"] = AttributeValueHooks()


def to_field(attribute: Record) -> Attribute:
    """Return the attribute's values as a field, for the rules of its type."""
    params = {"options": attribute.get("options") or []} if attribute.get("type") in {"enum", "multiEnum"} else {}
    return Attribute("value", "value", str(attribute.get("type")), params, str(attribute.get("name")))


def _get_attribute(state: State, attribute_id: Any) -> Record:
    attribute = state.find_record("Attribute", str(attribute_id))
    if attribute is None:
        raise ApiError(400, f"Attribute '{attribute_id}' does not exist.")
    return attribute


def _cast_value(state: State, attribute: Record, values: Values) -> Values:
    """Return the values of a request with the cast attribute value; dates remain, because the response repeats them."""
    if "value" not in values:
        return values
    value = values["value"]
    if attribute["type"] in OPTION_TYPES:
        options = value if isinstance(value, list) else [value]
        if any(one and state.find_record("ExtensibleEnumOption", str(one)) is None for one in options):
            raise ApiError(500, hidden=True)
        return values
    if attribute["type"] in ECHOED_TYPES:
        return values
    return {**values, "value": cast(state.core, to_field(attribute), value)}


def _store_value(state: State, record: Record, values: Values) -> None:
    if "value" in values:
        field = to_field(_get_attribute(state, record["attributeId"]))
        record["value"] = to_stored(state.core, field, cast(state.core, field, values["value"]))


def _find_same_key(state: State, values: Values) -> bool:
    rows = state.index.find("ProductAttributeValue", "productId", [values.get("productId")], to_text)
    key = [values.get(name) for name in KEY]
    return any([row.get(name) for name in KEY] == key and not row["deleted"] for row in rows)
