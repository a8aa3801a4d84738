"""Values of tags on the lists: the spelling of results, or an error."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api.lists import schema, tag_values

DOMAIN, IP, URI = "network.static.domain", "network.dynamic.ip", "network.static.uri"


@pytest.mark.parametrize(
    ("tag_type", "value", "stored"),
    [
        (DOMAIN, " Evil[.]Example. ", "evil.example"),
        (DOMAIN, "a(.)b[dot]example", "a.b.example"),
        (DOMAIN, "xn--bcher-kva.example", "b\u00fccher.example"),
        (DOMAIN, "xn--\u00fc.example", "xn--\u00fc.example"),
        (DOMAIN, "b\u00fccher\u3002example", "b\u00fccher.example"),
        (DOMAIN, "_dmarc.a.example".removeprefix("_"), "dmarc.a.example"),
        (IP, " 192[.]0[.]2[.]7", "192.0.2.7"),
        (IP, "010.000.002.7", "10.0.2.7"),
        (IP, "2001:DB8::7", "2001:DB8::7"),
        (URI, "hxxps[:]//Evil[.]Example/A b".replace(" ", "%20"), "https://evil.example/A%20b"),
        (URI, "HXXP://EVIL.example:8080/Path?Q=X", "HTTP://evil.example:8080/Path?Q=X"),
        (URI, "ftp[://]a.example", "ftp://a.example"),
        (URI, "https://[2001:db8::7]/a", "https://[2001:db8::7]/a"),
        ("file.pe.linker.sha256", "AB" * 32, "ab" * 32),
        ("av.virus_name", " Evil.Name ", " Evil.Name "),
    ],
)
def test_a_value_is_stored_as_results_have_it(tag_type, value, stored):
    assert tag_values.normalize(tag_type, value) == stored


@pytest.mark.parametrize(
    ("tag_type", "value", "message"),
    [
        (DOMAIN, "https://evil.example", "a domain must look like evil.example, without scheme"),
        (DOMAIN, "evil.example/path", "a domain must look like evil.example"),
        (DOMAIN, "evil.example:80", "a domain must look like evil.example"),
        (DOMAIN, "localhost", "a domain must look like evil.example"),
        (DOMAIN, "192.0.2.7", "a domain must look like evil.example"),
        (DOMAIN, "*.evil.example", "a domain must look like evil.example"),
        (DOMAIN, "a..example", "a domain must look like evil.example"),
        (IP, "10.0.0.0/8", "an IP must be one address, such as 192.0.2.7"),
        (IP, "192.0.2.700", "an IP must be one address"),
        (IP, "evil.example", "an IP must be one address"),
        (URI, "evil.example/a", "a URI must start like https://example.com"),
        (URI, "https://evil.example/a b", "without blanks"),
        (URI, "https:///a", "a URI must start like"),
        (URI, "https://[::1/a", "a URI must start like"),
        (
            URI,
            "https://User:Pass@evil.example/a",
            "the lists store 'https://user:pass@evil.example/a', which no result",
        ),
        (URI, "https://evil.example?Q=X", "which no result of 'https://evil.example.Q=X' has; list its domain"),
        ("file.pe.linker.sha256", "ab", "'ab' is not a valid sha256"),
    ],
)
def test_a_value_that_no_result_has_is_rejected(tag_type, value, message):
    with pytest.raises(ValueError, match=message):
        schema.build_tag_entry(tag_type, value)


def test_a_hash_with_blanks_is_stored_without():
    assert schema.build_file_entry(f" {'AB' * 32}\n") == {"type": "file", "hashes": {"sha256": "ab" * 32}}
