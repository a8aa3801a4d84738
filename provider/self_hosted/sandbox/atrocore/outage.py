"""The responses of AtroCore while a component is down.

- ``database``: PostgreSQL refuses connections. Already the sign-in of a request fails, so that nothing is done.
- ``database shutdown``: PostgreSQL ends the connection of a request that has begun.
- ``php``: nginx runs, and PHP-FPM does not.
- ``php overload``: all processes of PHP-FPM are busy or frozen until nginx gives up.
- ``update``: the server's software is being updated.

A missing Memcached has no visible effect: the server reads its database instead. Cores before 2.3 send the errors of a
database with a status line that has no status, which clients report as a lost response: that is the fault ``drop``.
"""

from __future__ import annotations

from self_hosted.sandbox.nginx import build_error

COMPONENTS = ("database", "database shutdown", "php", "php overload", "update")
UNREACHABLE = (
    'An exception occurred in the driver: SQLSTATE[08006] [7] connection to server at "127.0.0.1", port 5432 failed:'
    " Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"
)
TERMINATED = (
    "An exception occurred while executing a query: SQLSTATE[57P01]: Admin shutdown: 7 FATAL:  terminating connection"
    " due to administrator command"
)
# the sign-in puts the text into a header, which rejects its line break
ERRORS = {"database": f'"{UNREACHABLE}" is not valid header value.', "database shutdown": TERMINATED}
PAGES = {"php": 502, "php overload": 504}


def reply(component: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the response.

    :param component: one of ``COMPONENTS``
    :param method: HTTP method of the request
    :param path: path, relative to the base URL of the product
    """
    if component in PAGES:
        return build_error(PAGES[component])
    headers = {"Content-Type": "text/html; charset=utf-8"}
    if component == "update":
        return 503, headers, b""
    message = ERRORS[component]
    return 500, {**headers, "X-Status-Reason": message.replace("\n", " ")}, message.encode()
