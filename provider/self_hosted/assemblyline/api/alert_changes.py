"""What may be changed of an alert, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

PRIORITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
STATUSES = ("MALICIOUS", "NON-MALICIOUS", "ASSESS", "TRIAGE")
USER_VERDICTS = ("malicious", "non_malicious")
"""What a user may say of an alert; not to be confused with the bands of scores."""


class AlertChanges(NamedTuple):
    """What is to become of alerts. What is left out stays as it is.

    :param add_labels: labels, which the server keeps in upper case
    :param remove_labels: labels
    :param priority: LOW, MEDIUM, HIGH or CRITICAL
    :param status: MALICIOUS, NON-MALICIOUS, ASSESS or TRIAGE
    :param verdict: malicious or non_malicious: what the user says of the submission, and of all of its alerts
    :param take_ownership: whether the user becomes the owner; nobody can take an alert from its owner
    """

    add_labels: Sequence[str] = ()
    remove_labels: Sequence[str] = ()
    priority: str | None = None
    status: str | None = None
    verdict: str | None = None
    take_ownership: bool = False

    def checked(self) -> AlertChanges:
        """The same, as the server keeps it.

        :raises ValueError: naming the field, when it holds what the server does not know, or nothing is to change
        """
        if not any(self):
            raise ValueError(f"nothing is to be changed: give at least one of {', '.join(self._fields)}")
        add, remove = _labels("add_labels", self.add_labels), _labels("remove_labels", self.remove_labels)
        if set(add) & set(remove):
            both = ", ".join(sorted(set(add) & set(remove)))
            raise ValueError(f"remove_labels must hold none of add_labels, and both hold {both}")
        return self._replace(
            add_labels=add,
            remove_labels=remove,
            priority=_one_of("priority", self.priority, PRIORITIES),
            status=_one_of("status", self.status, STATUSES),
            verdict=_one_of("verdict", self.verdict, USER_VERDICTS),
        )

    def due(self, found: Mapping[str, Any], user: str) -> AlertChanges:
        """What of it an alert still lacks.

        :param found: the alert
        :param user: who changes it
        """
        labels, verdicts = found.get("label") or [], found.get("verdict") or {}
        return AlertChanges(
            [label for label in self.add_labels if label not in labels],
            [label for label in self.remove_labels if label in labels],
            self.priority if self.priority != found.get("priority") else None,
            self.status if self.status != found.get("status") else None,
            self.verdict if user not in verdicts.get(str(self.verdict), []) else None,
            self.take_ownership and found.get("owner") != user,
        )

    @property
    def names_user(self) -> bool:
        """Whether it matters who makes the changes."""
        return bool(self.verdict or self.take_ownership)


def _labels(name: str, labels: Any) -> list[str]:
    # of a text the server makes a label of each letter, and on a number it fails
    if not isinstance(labels, list | tuple | set) or not all(isinstance(one, str) and one.strip() for one in labels):
        raise ValueError(f"{name} must be a list of texts that are not empty, not {labels!r}")
    return list(dict.fromkeys(label.upper() for label in labels))


def _one_of(name: str, value: Any, known: Sequence[str]) -> str | None:
    if not value:
        return None
    for word in known:
        if word.lower() == str(value).lower():
            return word
    raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
