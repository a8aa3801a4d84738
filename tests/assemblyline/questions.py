"""The questions of Assemblyline, for the meta test that asks all of them."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from self_hosted.assemblyline import api
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


def quiet_among(served: Served, words: str) -> str:
    """The key of the quiet among submissions of a case of its own, of which there is one."""
    case = f"case {len(served.product.submissions)}"  # type: ignore[attr-defined]
    options = {"plaintext": words, "metadata": {"case": case}}
    served.seed({"delay": 0})
    requests.post(f"{served.base_url}/api/v4/submit/", headers=KEY, json=options, timeout=10).raise_for_status()
    return api.quiet_key(f'metadata.case:"{case}"', 0)


def alert_query(served: Served, *, raised: bool) -> str:
    """A query that finds one alert, or will one day."""
    case = uuid.uuid4().hex
    served.seed({"alerts": {"alerts": [{"metadata": {"case": case}}] if raised else []}})
    return f'metadata.case:"{case}"'


def retrohunt(served: Served, seconds: float) -> str:
    """The key of a retrohunt that takes so long."""
    served.seed({"retrohunt": {"enabled": True, "seconds": seconds}})
    options = {"yara_signature": "rule a { condition: true }", "description": "a", "indices": "hot", "ttl": 0}
    levels = {"classification": "TLP:C", "search_classification": "TLP:C"}
    answer = requests.put(f"{served.base_url}/api/v4/retrohunt/", headers=KEY, json={**options, **levels}, timeout=10)
    return str(answer.json()["api_response"]["key"])


CASES = {
    "SUBMISSION": Case(
        finished=lambda served: str(handed_in(served, "submit", "done")["sid"]),
        running=lambda served: str(handed_in(served, "submit", LONG)["sid"]),
        unknown="0123456789abcdefABCDEF",
    ),
    "PLACE": Case(
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
    "QUIET": Case(
        finished=lambda served: quiet_among(served, "done"),
        running=lambda served: quiet_among(served, LONG),
        unknown="",  # among what is not there it is quiet
    ),
    "ALERT": Case(
        finished=lambda served: alert_query(served, raised=True),
        running=lambda served: alert_query(served, raised=False),
        unknown="",  # what is not there may be raised yet
    ),
    "RETROHUNT": Case(
        finished=lambda served: retrohunt(served, 0),
        running=lambda served: retrohunt(served, 3600),
        unknown="0123456789abcdef0123456789abcdef",
    ),
}
