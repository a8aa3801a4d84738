"""The typed results that operators extend; this module imports no flows, so that they may import it."""

from __future__ import annotations

from typing import TypedDict


class ProvisionedProject(TypedDict):
    """A provisioned project.

    :param name: its name
    :param code: its code
    :param library: whether it is a library project
    :param created: whether this sender created it, and its values are still those, or were set again by an update
    :param updated: names of the values that were changed in an existing project: "label", "attributes.fps",
        "anatomy.tags", "users.anna", ...
    """

    name: str
    code: str
    library: bool
    created: bool
    updated: list[str]
