"""The base of operators whose input is a list: an empty one is no error, unless the DAG's author says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import is_set, parse_bool


class ListInputOperator(AssemblylineOperator):
    """Takes a list, which may be empty: the result then has its normal shape, and nothing is sent.

    :param fail_on_empty: whether an empty list fails the task
    """

    template_fields: Sequence[str] = (*AssemblylineOperator.template_fields, "fail_on_empty")

    def __init__(self, *, fail_on_empty: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fail_on_empty = fail_on_empty

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        super().validate()
        parse_bool("fail_on_empty", self.fail_on_empty)

    def check_not_empty(self, arguments: Mapping[str, Any], items: Sequence[Any]) -> None:
        """Check the number of items.

        :param arguments: value of each argument that selects items, by name
        :param items: what they select
        :raises ValueError: if no argument is set, or there is no item and ``fail_on_empty`` is set
        """
        names = [name for name, value in arguments.items() if is_set(value)]
        if not names:
            raise ValueError(f"give {' or '.join(arguments)}; none is set. An empty list is valid")
        if parse_bool("fail_on_empty", self.fail_on_empty) and not items:
            raise ValueError(f"{', '.join(names)}: nothing is selected, and fail_on_empty is set")
