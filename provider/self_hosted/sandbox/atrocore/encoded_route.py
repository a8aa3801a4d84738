"""Routes whose segments may contain an encoded slash, as the ids of records may."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.routing import Match, Route
from starlette.types import Scope

ENCODED_SLASH, PLACEHOLDER = re.compile(r"%2f", re.IGNORECASE), "\ue000"


class EncodedRoute(Route):
    """A route that does not take an encoded slash for the end of a segment."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether the route matches, and the parameters in the path."""
        raw_path = scope.get("raw_path", b"").decode("ascii", "replace")
        if not ENCODED_SLASH.search(raw_path):
            return super().matches(scope)
        path = unquote(ENCODED_SLASH.sub(PLACEHOLDER, raw_path))
        match, child_scope = super().matches({**scope, "path": path})
        parameters = child_scope.get("path_params", {})
        decoded = {name: value.replace(PLACEHOLDER, "/") for name, value in parameters.items()}
        return match, {**child_scope, "path_params": decoded} if parameters else child_scope
