"""What all sync operators of AtroCore share: the entity whose records are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from self_hosted.atrocore.operators.base import AtrocoreOperator
from self_hosted.core.arguments import parse_text
from self_hosted.core.imports import lazy_import
from self_hosted.core.sync.target_operator import TargetOperator

if TYPE_CHECKING:
    from self_hosted.atrocore.api import identifiers
    from self_hosted.atrocore.sync import target
else:
    identifiers = lazy_import("self_hosted.atrocore.api.identifiers")
    target = lazy_import("self_hosted.atrocore.sync.target")


class RecordsOperator(AtrocoreOperator, TargetOperator):
    """Works with the records of an entity.

    :param entity: the entity, such as "Product" or "Category"
    """

    template_fields: Sequence[str] = (*AtrocoreOperator.template_fields, "entity")

    def __init__(self, *, entity: str = "Product", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entity = entity

    def target_arguments(self) -> dict[str, Any]:
        """Return the arguments that identify the records.

        :raises ValueError: naming the argument
        """
        return {"entity": identifiers.check_entity(parse_text("entity", self.entity))}

    def build_target(self, given: Mapping[str, Any]) -> target.AtrocoreTarget:
        """Return the records.

        :param given: entity, key_field, scope, on_deleted and on_missing
        :raises ValueError: naming the argument
        """
        key = identifiers.check_field("key_field", given["key_field"])
        return target.AtrocoreTarget(
            given["entity"],
            key,
            self.hook.settings.address.base_url,
            where=given["scope"] or (),
            finds_deleted=given["on_deleted"] != "restore",
            activates=given["on_missing"] == "deactivate",
        )

    def target_url(self, given: Mapping[str, Any]) -> str:
        """Return the list of the records.

        :param given: the entity
        """
        return f"{self.hook.settings.address.base_url}/#{given['entity']}"

    def asset_path(self, given: Mapping[str, Any]) -> Sequence[str]:
        """Return the entity, as the path of an asset.

        :param given: the entity
        """
        return (given["entity"],)

    def result_details(self) -> dict[str, Any]:
        """Return the entity, which each result names."""
        return self.target_arguments()
