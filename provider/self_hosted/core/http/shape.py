"""Shapes of responses: a product's JSON is checked before a flow uses it.

pydantic checks, and the value itself is returned, so that fields that no shape names are kept. A shape's ``TypedDict``
is imported from ``typing_extensions``: pydantic needs that before Python 3.12.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from self_hosted.core.http.flow import Reply

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pydantic import TypeAdapter

T = TypeVar("T")
JsonObject = dict[str, Any]
"""The shape of an object whose fields are only passed on."""


def check_shape(reply: Reply, value: Any, shape: type[T], field: str = "") -> T:
    """Return a value of a response if it has the shape that its endpoint promises.

    :param reply: the reply that the value is from
    :param value: any JSON value
    :param shape: a type: ``str``, ``list[str]``, `JsonObject`, or a ``TypedDict`` of the fields that the flow uses
    :param field: the name of the value in the response, such as "rules"; "" for the whole
    :raises ServerError: naming the endpoint, the field and what it should be
    :raises OutcomeUnknownError: in the same cases, for a write that may have been carried out
    """
    from pydantic import ValidationError

    try:
        _adapter(cast("Hashable", shape)).validate_python(value, strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        raise reply.malformed(f"unexpected response: {_describe(problem, field)}") from None
    return value  # type: ignore[no-any-return]


@functools.cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # Airflow has imported it already

    return TypeAdapter(shape)


def _describe(problem: Mapping[str, Any], field: str) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
    path = (field + "".join(steps)).lstrip(".") or "the body"
    return f"{path}: {problem['msg']}"
