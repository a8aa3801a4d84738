"""AtroCore's connection form, as data."""

from __future__ import annotations

from self_hosted.core.connection.form import PORT_HINT, ConnectionForm, choice, text, transport_fields

FORM = ConnectionForm(
    conn_type="atrocore",
    hook_name="AtroCore",
    hook_class="self_hosted.atrocore.hook.AtrocoreHook",
    fields={
        "authorization_token": text(
            "Authorization token",
            "Value of the Authorization-Token header, such as authToken of a long-lived AuthToken record; "
            "replaces user and password.",
            secret=True,
        ),
        "dialect": choice(
            "Dialect",
            "REST API of the server: 2.3 (and later), 1.x-2.2, or espo (before April 2021). auto detects it.",
            ["auto", "2.3", "1.x-2.2", "espo"],
        ),
        "language": text(
            "Content language",
            "Language in which multilingual fields are read, such as de_DE. Writes name the field of each language.",
        ),
        # a batch of 100 products takes an AtroCore server many seconds
        **transport_fields(read_timeout=120, max_concurrent_requests=2),
    },
    relabeling={"host": "Base URL", "login": "User"},
    hidden=("schema",),
    placeholders={
        "host": "https://pim.example.com",
        "port": PORT_HINT,
        "login": "required without an authorization token",
        "password": "required without an authorization token",
    },
    api_path=r"/api(?:/v1)?|/openapi\.json",
    pages=("apidocs", "index.php"),
    own_headers=(
        *("Authorization", "Authorization-Token", "Authorization-Token-Only", "Espo-Authorization"),
        *("Espo-Authorization-By-Token", "language"),
    ),
)
