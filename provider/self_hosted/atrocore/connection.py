"""The connection form of AtroCore, as data."""

from __future__ import annotations

from self_hosted.core.form import PORT_HINT, ConnectionForm, choice, text, transport_fields

FORM = ConnectionForm(
    conn_type="atrocore",
    hook_name="AtroCore",
    hook_class="self_hosted.atrocore.hook.AtrocoreHook",
    fields={
        "authorization_token": text(
            "Authorization token",
            "The value of the header Authorization-Token, such as authToken of a long-lived AuthToken record; "
            "instead of user and password.",
            secret=True,
        ),
        "dialect": choice(
            "Dialect",
            "Which REST API the server speaks: 2.3 and later, 1.x to 2.2, or espo (until April 2021). auto finds out.",
            ["auto", "2.3", "1.x-2.2", "espo"],
        ),
        "language": text(
            "Content language", "Such as de_DE: values of multilingual fields are read and written in it."
        ),
        # a batch of 100 products takes an AtroCore server many seconds
        **transport_fields(read_timeout=120, requests_at_once=2),
    },
    relabeling={"host": "Base URL", "login": "User"},
    hidden=("schema",),
    placeholders={
        "host": "https://pim.example.com",
        "port": PORT_HINT,
        "login": "unless there is an authorization token",
        "password": "unless there is an authorization token",
    },
)
