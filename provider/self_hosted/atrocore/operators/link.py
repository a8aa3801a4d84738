"""The button that leads from a task to AtroCore."""

from __future__ import annotations

from self_hosted.core.operator import ProductLink


class AtrocoreLink(ProductLink):
    """Opens the list of the records a task worked on."""

    name = "AtroCore"
