"""The wait specs of Assemblyline, for the meta test that runs all of them."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from self_hosted.assemblyline import waits
from self_hosted.sandbox.assemblyline.roles import ALL_ROLES
from tests.conftest import Served
from tests.meta.wait_cases import WaitCase

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
LONG = "RIG-SLEEP:3600"


def upload(served: Served, endpoint: str, text: str) -> Any:
    """Submit or ingest a file, and return the server's response."""
    served.seed({"delay": 0})
    response = requests.post(
        f"{served.base_url}/api/v4/{endpoint}/", headers=KEY, files={"bin": ("a.txt", text.encode())}, timeout=60
    )
    return response.json()["api_response"]


def idle_key(served: Served, text: str) -> str:
    """Create a submission of a new case, and return the key of a wait until the case is idle."""
    case = f"case {len(served.product.store.submissions)}"  # type: ignore[attr-defined]
    options = {"plaintext": text, "metadata": {"case": case}}
    served.seed({"delay": 0})
    requests.post(f"{served.base_url}/api/v4/submit/", headers=KEY, json=options, timeout=60).raise_for_status()
    return waits.build_idle_key(f'metadata.case:"{case}"', 0)


def alert_query(served: Served, *, raised: bool) -> str:
    """Return a query that finds one alert, or none yet."""
    case = uuid.uuid4().hex
    served.seed({"alerts": {"alerts": [{"metadata": {"case": case}}] if raised else []}})
    return f'metadata.case:"{case}"'


def retrohunt(served: Served, seconds: float) -> str:
    """Start a retrohunt that takes some seconds, and return its key."""
    served.seed({"retrohunt": {"enabled": True, "seconds": seconds}})
    options = {"yara_signature": "rule a { condition: true }", "description": "a", "indices": "hot", "ttl": 0}
    levels = {"classification": "TLP:C", "search_classification": "TLP:C"}
    response = requests.put(f"{served.base_url}/api/v4/retrohunt/", headers=KEY, json={**options, **levels}, timeout=60)
    return str(response.json()["api_response"]["key"])


def fetch(served: Served, seconds: float) -> str:
    """Start a fetch of signatures that takes some seconds, and return the key of a wait for it."""
    source = {"name": f"source_{uuid.uuid4().hex}", "uri": "https://example.com/a.git"}
    service = f"YARA{uuid.uuid4().hex}"  # of which only this source is fetched
    served.seed({"signatures": {"sources": {service: [source]}, "fetch_seconds": seconds}})
    authentication: Any = served.product.authentication  # type: ignore[attr-defined]
    authentication.api_keys = {**authentication.api_keys, authentication.connection_key: ALL_ROLES}
    url = f"{served.base_url}/api/v4/signature/sources/update/{service}/"
    requests.put(url, headers=KEY, timeout=60).raise_for_status()
    return waits.build_fetch_key(service, [source["name"]])


CASES = {
    "SUBMISSION": WaitCase(
        finished=lambda served: str(upload(served, "submit", "done")["sid"]),
        running=lambda served: str(upload(served, "submit", LONG)["sid"]),
        unknown="0123456789abcdefABCDEF",
    ),
    "PLACE": WaitCase(
        finished=lambda served: str(upload(served, "submit", "done")["sid"]),
        running=lambda served: str(upload(served, "submit", LONG)["sid"]),
        unknown="0123456789abcdefABCDEF",
    ),
    "INGEST": WaitCase(
        # a new file each time: known files create no submission
        finished=lambda served: str(upload(served, "ingest", f"file {len(served.product.store.files)}")["ingest_id"]),  # type: ignore[attr-defined]
        running=lambda served: str(
            upload(served, "ingest", f"{LONG} file {len(served.product.store.files)}")["ingest_id"]  # type: ignore[attr-defined]
        ),
        unknown="0123456789abcdefABCDEF",
    ),
    "IDLE": WaitCase(
        finished=lambda served: idle_key(served, "done"),
        running=lambda served: idle_key(served, LONG),
        unknown="",  # no submissions are idle
    ),
    "ALERT": WaitCase(
        finished=lambda served: alert_query(served, raised=True),
        running=lambda served: alert_query(served, raised=False),
        unknown="",  # an alert may still be raised
    ),
    "RETROHUNT": WaitCase(
        finished=lambda served: retrohunt(served, 0),
        running=lambda served: retrohunt(served, 3600),
        unknown="0123456789abcdef0123456789abcdef",
    ),
    "SIGNATURE_FETCH": WaitCase(
        finished=lambda served: fetch(served, 0),
        running=lambda served: fetch(served, 3600),
        unknown=waits.build_fetch_key("YARA", ["nosuch"]),
    ),
}
