"""The connection form of Rudder, as data."""

from __future__ import annotations

from self_hosted.core.connection.form import PORT_HINT, ConnectionForm, choice, number, switch, text, transport_fields

FORM = ConnectionForm(
    conn_type="rudder",
    hook_name="Rudder",
    hook_class="self_hosted.rudder.hook.RudderHook",
    fields={
        "api_version": text("API version", '"latest", or a number from 21 on; default: latest.'),
        "version_in": choice("Send the version in", "The URL, or the header X-API-Version.", ["url", "header"]),
        "require_reason": switch(
            "Require a reason", "Reject changes without a reason. Rudder itself no longer does.", default=True
        ),
        "min_reason_length": number("Minimum reason length", "In characters.", default=5),
        **transport_fields(),
    },
    relabeling={"host": "Base URL", "password": "API token"},
    hidden=("schema", "login"),
    placeholders={
        "host": "https://rudder.example.com/rudder",
        "port": PORT_HINT,
        "password": "from Administration, API accounts; note its expiry date",
    },
    default_path="/rudder",
    api_path=r"/api(?:/(?:latest|[0-9]+))?",
    pages=("secure", "index.html"),
    own_headers=("X-API-Token", "X-API-Version"),
)
