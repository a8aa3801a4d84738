"""The connection form of AYON, as data."""

from __future__ import annotations

from self_hosted.core.connection.form import PORT_HINT, ConnectionForm, text, transport_fields

FORM = ConnectionForm(
    conn_type="ayon",
    hook_name="AYON",
    hook_class="self_hosted.ayon.hook.AyonHook",
    fields={
        "api_key": text(
            "API key",
            "Of a service user (Studio settings, Users), as recommended for automation; instead of user and password.",
            secret=True,
        ),
        "as_user": text("Act as", "Name of the user to act as (X-as-user). Requires the API key of a service user."),
        "site_id": text("Site id", "The AYON site that paths are resolved for (x-ayon-site-id)."),
        "sender": text("Sender name", "AYON stores it in every event that this connection causes; default: airflow."),
        **transport_fields(),
    },
    relabeling={"host": "Base URL", "login": "User"},
    hidden=("schema",),
    placeholders={
        "host": "https://ayon.example.com",
        "port": PORT_HINT,
        "login": "only to sign in without an API key",
        "password": "only to sign in without an API key",
    },
    api_path="/api|/graphql",
    pages=("account", "dashboard", "inbox", "login", "manageProjects", "market", "projects", "services", "settings"),
    own_headers=("Authorization", "X-Api-Key", "X-as-user", "X-Sender", "X-Sender-Type", "x-ayon-site-id"),
)
