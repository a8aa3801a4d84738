"""What lists of records do not contain, such as the values of attributes and the hashes of files."""

from __future__ import annotations

from collections.abc import Sequence

from self_hosted.atrocore.api.pages import Record
from self_hosted.core.http.flow import Flow


class Supplement:
    """Adds what lists of records do not contain. This one adds nothing.

    :ivar listed_attributes: see `pages.read_page`
    """

    listed_attributes: Sequence[str] = ()

    def load(self, records: Sequence[Record]) -> Flow[None]:
        """Add values to the records of a list.

        :param records: of a response; they are changed
        """
        yield from ()


NOTHING = Supplement()


class Supplements(Supplement):
    """Several supplements.

    :param parts: the supplements
    """

    def __init__(self, parts: Sequence[Supplement]) -> None:
        self.parts = parts
        self.listed_attributes = [name for part in parts for name in part.listed_attributes]

    def load(self, records: Sequence[Record]) -> Flow[None]:
        """Add values to the records of a list.

        :param records: of a response; they are changed
        """
        for part in self.parts:
            yield from part.load(records)
