"""Quotas of API calls and submissions."""

from __future__ import annotations

from dataclasses import dataclass, field

from self_hosted.sandbox.assemblyline.errors import ApiError


@dataclass
class Quotas:
    """Limits and counts.

    ``limits`` has any of the keys ``concurrent_submissions``, ``concurrent_ingests``, ``daily_submissions`` and
    ``daily_api_calls``; 0 means unlimited, as in the configuration of the real server.
    """

    limits: dict[str, int] = field(default_factory=dict)
    api_calls: int = 0
    submissions: int = 0

    def count_call(self) -> None:
        """Count an API call, or raise an error if the daily quota is exceeded."""
        self.api_calls += 1
        limit = self.limits.get("daily_api_calls", 0)
        if limit and self.api_calls > limit:
            raise ApiError(503, f"You've exceeded your daily maximum API calls quota of {limit}")

    def count_submission(self, running: int) -> None:
        """Count a submission, or raise an error if a quota is exceeded.

        :param running: number of submissions that are not completed
        """
        limit = self.limits.get("concurrent_submissions", 0)
        if limit and running >= limit:
            raise ApiError(503, f"You've exceeded your maximum concurrent submission quota of {limit}")
        self._count_daily_submission()

    def count_ingest(self, running: int) -> None:
        """Count an ingest, or raise an error if a quota is exceeded.

        :param running: number of ingests that are not completed
        """
        limit = self.limits.get("concurrent_ingests", 0)
        if limit and running >= limit:
            raise ApiError(503, f"You've exceeded your maximum async concurrent submission quota of {limit}")
        self._count_daily_submission()

    def get_remaining_calls(self) -> int:
        """Return the rest of the daily quota of API calls; also 0 if it is unlimited."""
        return max(0, self.limits.get("daily_api_calls", 0) - self.api_calls)

    def get_remaining_submissions(self) -> int:
        """Return the rest of the daily quota of submissions; also 0 if it is unlimited."""
        return max(0, self.limits.get("daily_submissions", 0) - self.submissions)

    def build_headers(self) -> dict[str, str]:
        """Return the response headers with the rest of each daily quota that is limited."""
        headers = {}
        if self.limits.get("daily_api_calls"):
            headers["x-remaining-quota-api"] = str(self.get_remaining_calls())
        if self.limits.get("daily_submissions"):
            headers["x-remaining-quota-submission"] = str(self.get_remaining_submissions())
        return headers

    def _count_daily_submission(self) -> None:
        limit = self.limits.get("daily_submissions", 0)
        if limit and self.submissions >= limit:
            raise ApiError(503, f"You've reached your daily maximum submission quota of {limit}")
        self.submissions += 1
