"""The button that leads from a task to Assemblyline."""

from __future__ import annotations

from self_hosted.core.operator import ProductLink


class AssemblylineLink(ProductLink):
    """Opens the submission, alert or file that a task worked on."""

    name = "Open in Assemblyline"
