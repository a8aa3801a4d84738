"""The questions of Assemblyline, for the meta test that asks all of them."""

from __future__ import annotations

from typing import Any

import requests

from tests.conftest import Served
from tests.meta.question_cases import Case

KEY = {"X-User": "admin", "X-Apikey": "sandbox:sandbox-secret"}
LONG = "RIG-SLEEP:3600"


def handed_in(served: Served, how: str, words: str) -> Any:
    """What the server answers to a submit or an ingest."""
    served.seed({"delay": 0})
    answer = requests.post(
        f"{served.base_url}/api/v4/{how}/", headers=KEY, files={"bin": ("a.txt", words.encode())}, timeout=10
    )
    return answer.json()["api_response"]


CASES = {
    "SUBMISSION": Case(
        finished=lambda served: str(handed_in(served, "submit", "done")["sid"]),
        running=lambda served: str(handed_in(served, "submit", LONG)["sid"]),
        unknown="0123456789abcdefABCDEF",
    ),
    "INGEST": Case(
        # another file each time: of what is known already no submission is made
        finished=lambda served: str(handed_in(served, "ingest", f"file {len(served.product.files)}")["ingest_id"]),  # type: ignore[attr-defined]
        running=lambda served: str(
            handed_in(served, "ingest", f"{LONG} file {len(served.product.files)}")["ingest_id"]  # type: ignore[attr-defined]
        ),
        unknown="0123456789abcdefABCDEF",
    ),
}
