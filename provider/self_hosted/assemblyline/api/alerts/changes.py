"""Changes of an alert, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

PRIORITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
STATUSES = ("MALICIOUS", "NON-MALICIOUS", "ASSESS", "TRIAGE")
USER_VERDICTS = ("malicious", "non_malicious")
"""The verdicts that users set; they are independent of the score bands."""


class AlertChanges(NamedTuple):
    """The desired values of alerts. Fields that are left out stay as they are.

    :param add_labels: labels; stored in upper case
    :param remove_labels: labels
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :param verdict: malicious or non_malicious: the user's verdict on the submission and all of its alerts
    :param take_ownership: whether the user becomes the owner; an alert cannot be taken from its owner
    """

    add_labels: Sequence[str] = ()
    remove_labels: Sequence[str] = ()
    priority: str | None = None
    status: str | None = None
    verdict: str | None = None
    take_ownership: bool = False

    def parse(self) -> AlertChanges:
        """Return the changes in the server's spelling.

        :raises ValueError: if a field is invalid, or all are empty
        """
        if not any(self):
            raise ValueError(f"no changes: give at least one of {', '.join(self._fields)}")
        add, remove = _parse_labels("add_labels", self.add_labels), _parse_labels("remove_labels", self.remove_labels)
        if set(add) & set(remove):
            both = ", ".join(sorted(set(add) & set(remove)))
            raise ValueError(f"add_labels and remove_labels both hold {both}")
        return self._replace(
            add_labels=add,
            remove_labels=remove,
            priority=_parse_option("priority", self.priority, PRIORITIES),
            status=_parse_option("status", self.status, STATUSES),
            verdict=_parse_option("verdict", self.verdict, USER_VERDICTS),
        )

    def difference(self, alert: Mapping[str, Any], user: str) -> AlertChanges:
        """Return the changes that an alert does not have yet.

        :param alert: the alert's document
        :param user: name of the user
        """
        labels, verdicts = alert.get("label") or [], alert.get("verdict") or {}
        return AlertChanges(
            [label for label in self.add_labels if label not in labels],
            [label for label in self.remove_labels if label in labels],
            self.priority if self.priority != alert.get("priority") else None,
            self.status if self.status != alert.get("status") else None,
            self.verdict if user not in (verdicts.get(str(self.verdict)) or []) else None,
            self.take_ownership and alert.get("owner") != user,
        )

    @property
    def depends_on_user(self) -> bool:
        """Whether the user's name is needed to compare the changes with an alert."""
        return bool(self.verdict or self.take_ownership)


def _parse_labels(argument: str, labels: Any) -> list[str]:
    # the server turns a text into one label per letter, and fails on a number
    if not isinstance(labels, list | tuple | set) or not all(isinstance(text, str) and text.strip() for text in labels):
        raise ValueError(f"{argument} must be a list of texts that are not empty, not {labels!r}")
    return list(dict.fromkeys(label.upper() for label in labels))


def _parse_option(argument: str, value: Any, options: Sequence[str]) -> str | None:
    """Return an option in the server's spelling; the case of the value does not matter."""
    if not value:
        return None
    for option in options:
        if option.lower() == str(value).lower():
            return option
    raise ValueError(f"{argument} must be one of {', '.join(options)}, not {value!r}")
