"""Responses to unknown routes. Cores before 2.3 authenticate first, then look for a controller and its action."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from self_hosted.sandbox.atrocore.authentication import authenticate
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.responses import UNKNOWN_PAGE, build_error_response, build_page
from self_hosted.sandbox.atrocore.state import State

OLD_BASE = "/api/v1"
COLLECTION, RECORD, RELATION = 1, 2, 3
"""Numbers of segments behind the base path."""

ACTION = "action"
"""The segment between a controller and its action."""

OLD_CONTROLLERS = frozenset({"App", "Metadata", "Settings", "I18n", "GlobalSearch", "MassActions"})


def build_unknown_response(state: State, request: Request) -> Response:
    """Return the response to a request that no route accepts."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if request.method == "OPTIONS":
        return build_page("", 200)
    if state.is_new or not path.startswith(f"{OLD_BASE}/"):
        is_api = path.startswith("/api/")
        return build_error_response(ApiError(404), header_only=True) if is_api else build_page("")
    try:
        authenticate(state, request.headers)
        raise _find_error(state, request.method, path.removeprefix(f"{OLD_BASE}/").split("/"))
    except ApiError as error:
        return build_error_response(error, header_only=state.dialect == "espo")
    except LookupError:
        return build_page(UNKNOWN_PAGE)


def check_controller(state: State, request: Request) -> None:
    """Check the entity in the path of a request. Before 2.3, an action may have the form of a relation.

    :raises ApiError: if the entity or the action is unknown
    """
    parameters = request.path_params
    entity, is_action = parameters.get("entity"), parameters.get("id") == ACTION and "link" in parameters
    if entity and (is_action or entity not in state.schema.definitions):
        segments = [entity, ACTION, parameters["link"]] if is_action else [entity]
        raise ApiError(404) if state.is_new else _find_error(state, request.method, segments)


def _find_error(state: State, method: str, segments: list[str]) -> ApiError:
    """Return the error of a controller.

    :raises LookupError: if no controller can have the path
    """
    name = segments[0][:1].upper() + segments[0][1:]
    is_action = len(segments) == RELATION and segments[1] == ACTION
    is_record = len(segments) == RECORD and method != "POST"
    if not (len(segments) in {COLLECTION, RELATION} or is_record):
        raise LookupError
    if name not in {*state.schema.definitions, *OLD_CONTROLLERS}:
        return ApiError(404, f"Controller '{name}' is not found")
    if is_action:
        return ApiError(404, f"Action '{segments[2]}' ({method}) does not exist in controller '{name}'")
    raise LookupError
