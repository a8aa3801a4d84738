"""Parsed requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from self_hosted.sandbox.atrocore.access import Access
from self_hosted.sandbox.atrocore.errors import ApiError, SchemaError

JSON_NAMES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "double",
    list: "array",
    dict: "array",
    type(None): "NULL",
}


@dataclass(frozen=True)
class Call:
    """A parsed request.

    :param route: last segment of the path
    :param template: path of the route in messages, such as ``/{entityName}/{id}``
    :param entity: entity in the path; empty if there is none
    :param id: record id in the path; empty if there is none
    :param link: relation in the path; empty if there is none
    :param query: query parameters, in their order
    :param body: JSON body; None if the request has none, or a malformed one
    :param is_malformed: whether the body is not JSON
    :param access: the rights of the user
    """

    method: str
    route: str
    template: str
    entity: str
    id: str
    link: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: Any
    is_malformed: bool
    access: Access

    @classmethod
    async def parse(cls, request: Request, template: str, access: Access) -> Call:
        """Return the parsed request."""
        content = await request.body()
        try:
            data, is_malformed = (json.loads(content) if content else None), False
        except ValueError:
            data, is_malformed = None, True
        path, query = request.path_params, request.query_params.multi_items()
        route = request.scope["path"].rpartition("/")[2]
        entity, record_id, link = (path.get(name, "") for name in ("entity", "id", "link"))
        return cls(
            request.method,
            route,
            template,
            entity,
            record_id,
            link,
            query,
            request.headers,
            data,
            is_malformed,
            access,
        )

    @property
    def subject(self) -> str:
        """The request in messages."""
        return f"Request [{self.method.lower()} {self.template}]"

    def parameter(self, name: str, default: str = "") -> str:
        """Return a query parameter."""
        return next((value for key, value in self.query if key == name), default)

    def required_parameter(self, name: str) -> str:
        """Return a query parameter.

        :raises ApiError: if it is missing
        """
        if value := self.parameter(name):
            return value
        raise ApiError(400, f'Missing required argument "{name}" for {self.subject}')

    def check_json(self) -> None:
        """Check that the request has a JSON body, as the server does since 2.3.

        :raises ApiError: if it has none, or another content type
        """
        content_type = self.headers.get("content-type")
        if content_type is None:
            raise ApiError(400, f'Missing required header "Content-Type" for {self.subject}')
        if content_type.partition(";")[0].strip() != "application/json":
            raise ApiError(400, f'Content-Type "{content_type}" is not expected for {self.subject}')
        if self.is_malformed or self.body is None:
            raise ApiError(400, f'JSON parsing failed with "Syntax error" for {self.subject}')

    def check_object(self) -> dict[str, Any]:
        """Return the body if it is an object, as cores before 2.3 need it.

        :raises ApiError: if it is something else
        """
        is_json = self.headers.get("content-type", "").startswith("application/json")
        if not is_json or not isinstance(self.body, dict):
            raise ApiError(500, hidden=True)
        return self.body

    def require_properties(self, *names: str) -> dict[str, Any]:
        """Return the body if it is an object with some properties, as the server needs it since 2.3.

        :raises ApiError: if the body is no object, or a property is missing
        """
        body = self.require_object(self.body)
        for name in names:
            if name not in body:
                raise self.missing_property(name)
        return body

    def require_object(self, value: Any) -> dict[str, Any]:
        """Return a part of the body if it is an object. PHP takes an empty list for one.

        :raises ApiError: if it is something else
        """
        if value == []:
            return {}
        if not isinstance(value, dict):
            raise self.wrong_type("object", value)
        return value

    def missing_property(self, name: str) -> SchemaError:
        """Return the error of a missing property."""
        reason = f"Keyword validation failed: Required property '{name}' must be present in the object"
        return SchemaError(f"{self.subject}, {reason}")

    def wrong_type(self, expected: str, value: Any) -> SchemaError:
        """Return the error of a value with the wrong type."""
        given = JSON_NAMES[type(value)]
        return SchemaError(f"{self.subject}, Value expected to be '{expected}', but '{given}' given.")
