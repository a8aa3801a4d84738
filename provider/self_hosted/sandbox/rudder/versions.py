"""The API version of a request: in the path, in the header, or implied by a server with only one version."""

from __future__ import annotations

from starlette.requests import Request

from self_hosted.sandbox.rudder.calls import Endpoint
from self_hosted.sandbox.rudder.errors import EndpointNotFoundError, VersionError


def select_version(endpoint: Endpoint, request: Request, supported: tuple[int, ...]) -> int:
    """Return the API version that the request names in its path or header.

    :param supported: versions of the server
    :raises EndpointNotFoundError: if the path names an unsupported version
    :raises VersionError: if the version is missing, header and path differ, or the header names a version that the
        endpoint does not have
    """
    header = _parse_version(request.headers.get("x-api-version", ""), supported)
    if "version" in request.path_params:
        version = _parse_version(request.path_params["version"], supported)
        return _check_path_version(endpoint, version, header)
    offered = [version for version in supported if version >= endpoint.since] or list(supported)
    if header is None and len(offered) == 1:
        return offered[0]
    target = f"'{endpoint.method} api{endpoint.path}'"
    versions = f"Available versions: '{chr(39).join(map(str, offered))}'"
    if header is None:
        raise VersionError(
            f"Bad request: Request is missing a version but the version is required for {target}. {versions}"
        )
    if header not in offered:
        raise VersionError(
            f"Bad request: Request is requiring version '{header}' but that version is not available for {target}. "
            f"{versions}"
        )
    return header


def _check_path_version(endpoint: Endpoint, version: int | None, header: int | None) -> int:
    if version is None:
        raise EndpointNotFoundError
    if header not in {None, version}:
        raise VersionError(
            f"Bad request: Request is requiring version '{header}' "
            f"but the available endpoints only provide version '{version}'",
            endpoint.action,
        )
    return version


def _parse_version(text: str, supported: tuple[int, ...]) -> int | None:
    """Return the version, or None if it is missing, malformed or unsupported."""
    version = max(supported) if text == "latest" else int(text) if text.isdecimal() else None
    return version if version in supported else None
