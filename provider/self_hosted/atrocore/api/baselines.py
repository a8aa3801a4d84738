"""What a run of a feed is told from those before it by: when the newest job was created, asked before the run.

That is the server's own word, so no clock is compared with another one.
"""

from __future__ import annotations

from self_hosted.atrocore.api.runs import EXPORTS, IMPORTS, Kind
from self_hosted.atrocore.api.where import where_query
from self_hosted.core.flow import Flow, Pause, Request, url_path

NEVER = "1970-01-01 00:00:00"
ONE_SECOND = 1.0


def import_baseline(feed_id: str) -> Flow[str]:
    """The moment after which import jobs of a feed are new (``GET /api/ImportJob``); ask before the feed is run.

    :param feed_id: the import feed
    :return: when its newest job was created, in the server's words; long ago when there is none
    """
    return (yield from _baseline(IMPORTS, feed_id))


def export_baseline(feed_id: str) -> Flow[str]:
    """The moment after which export jobs of a feed are new (``GET /api/ExportJob``); ask before the feed is run.

    :param feed_id: the export feed
    :return: when its newest job was created, in the server's words; long ago when there is none
    """
    return (yield from _baseline(EXPORTS, feed_id))


def _baseline(kind: Kind, feed_id: str) -> Flow[str]:
    query = {
        **where_query([{"type": "equals", "attribute": kind.feed, "value": feed_id}]),
        "select": "createdAt",
        "maxSize": 1,
        "sortBy": "createdAt",
        "asc": False,
        "collectionOnly": True,
    }
    reply = yield Request("GET", url_path("api", kind.entity), query=query)
    yield Pause(ONE_SECOND)  # AtroCore counts in seconds: whatever is created from now on is later than this
    newest = reply.json()["list"]
    return str(newest[0]["createdAt"]) if newest else NEVER
