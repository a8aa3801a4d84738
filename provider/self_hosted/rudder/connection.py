"""The connection form of Rudder, as data."""

from __future__ import annotations

from self_hosted.core.form import PORT_HINT, ConnectionForm, choice, number, switch, text, transport_fields

FORM = ConnectionForm(
    conn_type="rudder",
    hook_name="Rudder",
    hook_class="self_hosted.rudder.hook.RudderHook",
    fields={
        "api_version": text("API version", 'A number from 21 on, or "latest", which is the default.'),
        "version_in": choice(
            "Send the version in", "The URL, or the header X-API-Version; never both.", ["url", "header"]
        ),
        "require_reason": switch(
            "Require a reason", "Refuse changes without a reason. Rudder itself no longer does.", default=True
        ),
        "shortest_reason": number("Shortest reason", "How many characters a reason must have.", default=5),
        **transport_fields(),
    },
    relabeling={"host": "Base URL", "password": "API token"},
    hidden=("schema", "login"),
    placeholders={
        "host": "https://rudder.example.com/rudder",
        "port": PORT_HINT,
        "password": "from Administration, API accounts; mind its expiry date",
    },
    default_path="/rudder",
)
