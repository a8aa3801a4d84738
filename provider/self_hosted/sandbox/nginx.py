"""The error pages of nginx, which stands before several products."""

from __future__ import annotations

REASONS = {502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
PAGE = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


def build_error(status: int) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an error page.

    :param status: 502, 503 or 504
    """
    return status, {"Content-Type": "text/html"}, PAGE.format(title=f"{status} {REASONS[status]}").encode()
