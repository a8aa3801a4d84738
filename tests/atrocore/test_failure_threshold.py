"""The failure threshold."""

from __future__ import annotations

import pytest

from self_hosted.atrocore.api import failure_threshold


@pytest.mark.parametrize(("fail_on", "share"), [("any", 0), ("never", 1), ("0.05", 0.05), (0.5, 0.5), (0, 0)])
def test_a_threshold_is_a_word_or_a_share(fail_on, share):
    assert failure_threshold.parse(fail_on) == share


@pytest.mark.parametrize("fail_on", ["some", -0.1, "-1", 1.5, None, "nan", True, ["any"]])
def test_an_invalid_threshold_is_rejected(fail_on):
    with pytest.raises(ValueError, match="fail_on must be 'any', 'never' or a share from 0 to 1, not"):
        failure_threshold.parse(fail_on)
