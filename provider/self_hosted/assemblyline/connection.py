"""The connection form of Assemblyline, as data."""

from __future__ import annotations

from self_hosted.core.connection.form import PORT_HINT, ConnectionForm, text, transport_fields

FORM = ConnectionForm(
    conn_type="assemblyline",
    hook_name="Assemblyline",
    hook_class="self_hosted.assemblyline.hook.AssemblylineHook",
    fields={
        "api_key": text(
            "API key",
            "name:secret, as Assemblyline shows it once when the key is created (user menu, Account, API Keys). "
            "Give it the rights R and W. With a key, leave the password empty.",
            secret=True,
        ),
        "bearer_token": text(
            "Bearer token",
            "A JWT of the identity provider that Assemblyline trusts. With a token, leave API key and password empty.",
            secret=True,
        ),
        **transport_fields(max_concurrent_requests=10),
    },
    relabeling={"host": "Base URL", "login": "User"},
    hidden=("schema",),
    placeholders={
        "host": "https://assemblyline.example.com",
        "port": PORT_HINT,
        "login": "the user of the API key or the password",
        "password": "only to sign in without an API key",
    },
    api_path=r"/api(?:/v4)?",
    pages=("account", "alerts", "dashboard", "login", "manage", "retrohunt", "submission", "submissions", "submit"),
    # the server answers 500 to a header Authorization beside an API key
    own_headers=("Authorization", "Cookie", "X-Apikey", "X-User", "X-XSRF-TOKEN"),
)
