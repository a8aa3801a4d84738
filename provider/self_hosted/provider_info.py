"""The provider description that Airflow reads at start-up; it imports only the connection forms, which are data."""

from __future__ import annotations

from typing import Any

from self_hosted import __version__
from self_hosted.assemblyline import connection as assemblyline
from self_hosted.atrocore import connection as atrocore
from self_hosted.ayon import connection as ayon
from self_hosted.rudder import connection as rudder

INTEGRATIONS = {
    "assemblyline": ("Assemblyline", "https://cybercentrecanada.github.io/assemblyline4_docs/"),
    "ayon": ("AYON", "https://docs.ayon.dev"),
    "rudder": ("Rudder", "https://docs.rudder.io/api"),
    "atrocore": ("AtroCore", "https://help.atrocore.com"),
}
FORMS = (assemblyline.FORM, ayon.FORM, rudder.FORM, atrocore.FORM)


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description: integrations, modules, connection types, assets and links."""
    return {
        "package-name": "airflow-provider-self-hosted",
        "name": "Self-hosted products",
        "description": "Assemblyline, AYON, Rudder (rudder.io) and AtroCore: products that companies host themselves.",
        "versions": [__version__],
        "integrations": [
            {"integration-name": name, "external-doc-url": url, "tags": ["service"]}
            for name, url in INTEGRATIONS.values()
        ],
        "hooks": _modules("hook"),
        "operators": _modules("operators"),
        "sensors": _modules("sensors"),
        "triggers": _modules("triggers"),
        "connection-types": [form.provider_info() for form in FORMS],
        "asset-uris": [
            {
                "schemes": [form.conn_type for form in FORMS],
                "handler": "self_hosted.core.tasks.assets.validate_asset_uri",
                "to_openlineage_converter": "self_hosted.core.tasks.assets.to_openlineage",
            }
        ],
        "extra-links": [f"self_hosted.{folder}.operators.{folder.capitalize()}Link" for folder in INTEGRATIONS],
    }


def _modules(kind: str) -> list[dict[str, Any]]:
    return [
        {"integration-name": name, "python-modules": [f"self_hosted.{folder}.{kind}"]}
        for folder, (name, _) in INTEGRATIONS.items()
    ]
