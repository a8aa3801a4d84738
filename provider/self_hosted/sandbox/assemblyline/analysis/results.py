"""The result of the analysis of a submission."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from self_hosted.sandbox.assemblyline.analysis.files import AnalyzedFile


@dataclass
class AnalysisResult:
    """The results of a file and of the files in it.

    ``scores`` and ``files`` have SHA-256 as keys, so that equal files count once. ``files`` is empty for a submission
    from a bundle. ``seconds`` is the additional duration. ``searched_content`` is the part that retrohunts search.
    """

    sha256: str = ""
    md5: str = ""
    sha1: str = ""
    size: int = 0
    scores: dict[str, int] = field(default_factory=dict)
    files: dict[str, AnalyzedFile] = field(default_factory=dict)
    error_count: int = 0
    seconds: float = 0
    searched_content: bytes = b""

    @property
    def max_score(self) -> int:
        """The maximum of all scores."""
        return max(self.scores.values())

    def iterate_files(self) -> Iterator[AnalyzedFile]:
        """Yield the files, the submitted one first."""
        return (self.files[sha256] for sha256 in self.scores if sha256 in self.files)
