"""Values of tags on the badlist and the safelist, in the spelling of the tags of results.

The lists take any text. An entry whose value no service reports has no effect: a domain with a scheme, a network in
place of an address, a defanged URI.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from self_hosted.assemblyline.api.files import hash_kinds

IDEOGRAPHIC_STOP = "\u3002"
DEFANGED_DOT = re.compile(r"\[\.\]|\(\.\)|\{\.\}|\[dot\]", re.IGNORECASE)
DEFANGED_COLON = re.compile(r"\[(:|://)\]")
DEFANGED_SCHEME = re.compile(r"^h(?:xx|\*\*)p(?=s?:)", re.IGNORECASE)
DOMAIN = re.compile(r"(?=.{4,253}$)[^\W_](?:[\w-]{0,62})?(?:\.[^\W_](?:[\w-]{0,62})?)+")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/]+(?:[/?#]\S*)?")


def normalize(tag_type: str, value: str) -> str:
    """Return a value in the spelling of results.

    >>> normalize("network.static.uri", "hxxps://Evil[.]example/A")
    'https://evil.example/A'

    :param tag_type: such as "network.static.domain"
    :param value: such as "evil.example"; blanks around it, a final dot of a domain, and brackets are removed
    :raises ValueError: if no service reports such a value
    """
    parse = _PARSERS.get(tag_type.rpartition(".")[2])
    return parse(value.strip()) if parse else value


def _refang(value: str) -> str:
    text = DEFANGED_COLON.sub(r"\1", DEFANGED_DOT.sub(".", value))
    return DEFANGED_SCHEME.sub(lambda match: "http" if match[0].islower() else "HTTP", text)


def _parse_domain(value: str) -> str:
    text = DEFANGED_DOT.sub(".", value).replace(IDEOGRAPHIC_STOP, ".").removesuffix(".").lower()
    labels = [_decode_label(label) for label in text.split(".")]
    if not DOMAIN.fullmatch(text) or labels[-1].isdigit():
        raise ValueError(
            f"tags: a domain must look like evil.example, without scheme, port and path, not {value!r:.200}"
        )
    return ".".join(labels)


def _decode_label(label: str) -> str:
    """Return an internationalized label as results show it."""
    with contextlib.suppress(UnicodeError):
        return label.encode("ascii").decode("idna") if label.startswith("xn--") else label
    return label


def _parse_ip(value: str) -> str:
    text = DEFANGED_DOT.sub(".", value)
    if "." in text and ":" not in text:  # services report numbers without leading zeros
        text = ".".join(str(int(part)) if part.isdecimal() and part.isascii() else part for part in text.split("."))
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(
            f"tags: an IP must be one address, such as 192.0.2.7 or 2001:db8::7, not {value!r:.200}"
        ) from None
    return text


def _parse_uri(value: str) -> str:
    text = _refang(value)
    host = ""
    with contextlib.suppress(ValueError):
        host = urlsplit(text).netloc.rpartition("@")[2].partition(":")[0] if URI.fullmatch(text) else ""
    if not host:
        raise ValueError(f"tags: a URI must start like https://example.com, without blanks, not {value!r:.200}")
    tag = text.replace(host, host.lower())
    first_part = text.split("//", 1)[1].split("/", 1)[0]
    stored = text.replace(first_part, first_part.lower(), 1)
    if stored != tag:
        raise ValueError(
            f"tags: the lists store {stored!r:.200}, which no result of {value!r:.200} has; list its domain"
        )
    return stored


def _parse_hash(kind: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        try:
            return hash_kinds.parse(kind, value)
        except ValueError as error:
            raise ValueError(f"tags: {error}") from None

    return parse


_PARSERS: Mapping[str, Callable[[str], str]] = {
    "domain": _parse_domain,
    "ip": _parse_ip,
    "uri": _parse_uri,
    **{kind: _parse_hash(kind) for kind in ("md5", "sha1", "sha256")},
}
"""By the last part of the tag's type; other values are any text."""
