"""Verdicts: score bands, results and limits."""

from __future__ import annotations

import pytest

from self_hosted.assemblyline.api.submissions import verdicts
from self_hosted.core.http.errors import PermanentError
from tests.assemblyline.flows import CONFIGURATION, reply, result_of

OUTCOME = {
    "sha256": "ab" * 32,
    "sid": "s",
    "state": "completed",
    "max_score": 750,
    "verdict": "highly_suspicious",
    "file_count": 2,
    "error_count": 1,
}


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(-1, "safe"), (0, "info"), (299, "info"), (300, "suspicious"), (700, "highly_suspicious"), (1000, "malicious")],
)
def test_the_bands_of_the_server_determine_the_verdict(score, verdict):
    bands, _ = result_of(verdicts.get_bands(), reply(CONFIGURATION))
    assert verdicts.classify(score, bands) == verdict


def test_the_result_contains_only_verdict_counts_and_url():
    assert verdicts.judge({**OUTCOME, "doubtful": True}, "http://al/s") == {**OUTCOME, "url": "http://al/s"}


@pytest.mark.parametrize(
    "limits", [(750, None), ("750", None), (0, None), (None, "highly_suspicious"), (None, "info"), (9999, "suspicious")]
)
def test_an_exceeded_limit_is_an_error_with_verdict_and_url(limits):
    with pytest.raises(PermanentError, match="highly_suspicious, with a score of 750: http://al/s"):
        verdicts.judge(OUTCOME, "http://al/s", *limits)


@pytest.mark.parametrize("limits", [(751, None), (None, "malicious"), (None, None), ("", "")])
def test_a_result_below_all_limits_is_no_error(limits):
    assert verdicts.judge(OUTCOME, "u", *limits)["max_score"] == 750


def test_a_failed_submission_is_an_error():
    with pytest.raises(PermanentError, match="ended in state 'failed'"):
        verdicts.judge({**OUTCOME, "state": "failed"}, "u")


@pytest.mark.parametrize("limits", [("many", None), ([1], None), (None, "safe"), (None, "bad"), ("None", None)])
def test_invalid_limits_are_rejected(limits):
    with pytest.raises(ValueError, match="fail_on_"):
        verdicts.check_limits(*limits)
