"""What Rudder responds while one of its components is down: LDAP, PostgreSQL, the web application, or the proxy.

LDAP contains the configuration: rules, nodes, groups. PostgreSQL contains reports, from which compliance is computed,
and change requests. The web application needs some minutes to start; Apache in front of it then responds by itself.
"""

from __future__ import annotations

import json

JSON_TYPE = "application/json;charset=utf-8"
PAGE_TYPE = "text/html; charset=iso-8859-1"
COMPONENTS = ("database", "ldap", "webapp", "proxy")

LDAP_CAUSES = {
    "GET": "BackendException: An error occurred while attempting to connect to server localhost:389: "
    "java.net.ConnectException: Connection refused",
    "write": "SystemError: Can't open a read-write connection to LDAP; cause was: LDAPException(resultCode=91 "
    "(connect error), errorMessage='Connection refused')",
}
DATABASE_CAUSE = (
    "SystemError: Error when accessing the database; cause was: java.sql.SQLTransientConnectionException: "
    "HikariPool-1 - Connection is not available, request timed out after 30000ms."
)
PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n'
    "<html><head>\n<title>{status} {reason}</title>\n</head><body>\n"
    "<h1>{reason}</h1>\n<p>{text}</p>\n</body></html>\n"
)
UNAVAILABLE = (
    "The server is temporarily unable to service your request due to maintenance downtime or capacity problems. "
    "Please try again later."
)
BAD_GATEWAY = "The proxy server received an invalid response from an upstream server."


def reply(component: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the response during an outage.

    :param component: "database": PostgreSQL is down; a real server then fails on the requests that need it. "ldap": the
        directory is down. "webapp": the web application starts or is stopped, so that Apache cannot pass on requests.
        "proxy": the web application ends while it processes the request
    :param method: HTTP method of the request
    :param path: path, relative to the base URL
    :raises KeyError: for an unknown component
    """
    replies = {
        "database": (500, JSON_TYPE, _build_envelope(path, DATABASE_CAUSE)),
        "ldap": (500, JSON_TYPE, _build_envelope(path, LDAP_CAUSES["GET" if method == "GET" else "write"])),
        "webapp": (503, PAGE_TYPE, PAGE.format(status=503, reason="Service Unavailable", text=UNAVAILABLE)),
        "proxy": (502, PAGE_TYPE, PAGE.format(status=502, reason="Proxy Error", text=BAD_GATEWAY)),
    }
    status, content_type, body = replies[component]
    return status, {"content-type": content_type}, body.encode()


def _build_envelope(path: str, cause: str) -> str:
    """Return an error envelope: the words of the endpoint, then those of the component."""
    segment = next((word for word in path.split("/")[3:] if word), "request")
    message = f"Could not fetch {segment}; cause was: {cause}"
    return json.dumps({"action": segment, "result": "error", "errorDetails": message}, separators=(",", ":"))
