"""Have the URLs of a threat feed analysed, and put those that are bad on Assemblyline's badlist.

Every hour the entries of `feed` that were not analysed in the last 30 days are submitted, each by a task of its own.
What was analysed Assemblyline knows itself, by the submissions' metadata: nothing else has to be kept. A URL that is as
bad as `block_from`, or worse, goes on the badlist, so that files which mention it are flagged from then on.

The feed is a text file with one URL a line, a path or a URI of an object store; lines that begin with # are comments.
Needs the connection `assemblyline_default`, and a service of Assemblyline that fetches URLs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import AirflowSkipException
from airflow.sdk import ObjectStoragePath, Param, dag, task, task_group

from self_hosted.assemblyline.operators import AssemblylineAddToListOperator, AssemblylineSubmitUrlOperator

VERDICTS = ["info", "suspicious", "highly_suspicious", "malicious"]


@dag(
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,  # what one run submits the next one need not
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "feed": Param("/srv/feeds/urls.txt", type="string", description="a path or a URI"),
        "at_most": Param(100, type="integer", minimum=1, description="URLs a run; the rest waits for the next one"),
        "block_from": Param("malicious", type="string", enum=VERDICTS, description="block what is this bad or worse"),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_url_feed() -> None:
    """Read the feed, then analyse each new entry and block it if it is bad."""

    @task
    def new_entries(feed: str, at_most: Any) -> list[str]:
        """What of the feed Assemblyline has not analysed lately."""
        from self_hosted.assemblyline.api import phrase
        from self_hosted.assemblyline.hook import AssemblylineHook

        path = ObjectStoragePath(feed)
        if not path.is_file():
            raise AirflowSkipException(f"there is no feed {feed}")
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        entries = dict.fromkeys(line for line in lines if line and not line.startswith("#"))
        wanted = {"query": f"metadata.feed:{phrase(feed)}", "filters": ["times.submitted:[now-30d TO now]"], "fl": "*"}
        known = {found["metadata"]["entry"] for found in AssemblylineHook().search_all("submission", wanted)}
        new = [entry for entry in entries if entry not in known]
        if not new:
            raise AirflowSkipException(f"nothing new in {feed}")
        return new[: int(at_most)]

    @task
    def is_bad(analysed: Any, block_from: str) -> None:
        """Skip the rest for a URL that is not so bad."""
        if analysed["verdict"] not in VERDICTS[VERDICTS.index(block_from) :]:
            raise AirflowSkipException(f"it is {analysed['verdict']}: {analysed['url']}")

    @task_group
    def entry(url: str) -> None:
        """One URL of the feed."""
        analysed = AssemblylineSubmitUrlOperator(
            task_id="analyse",
            url=url,
            metadata={"feed": "{{ params.feed }}", "entry": url},
            submission_profile="static_with_internet",
            deferrable=True,
            max_active_tis_per_dagrun=5,  # as many as Assemblyline analyses at once for one user, unless told otherwise
        )
        block = AssemblylineAddToListOperator(
            task_id="block",
            list_name="badlist",
            tags={"network.static.uri": [url]},
            reason="Analysed as an entry of the feed {{ params.feed }}",
        )
        is_bad(analysed.output, "{{ params.block_from }}") >> block

    entry.expand(url=new_entries("{{ params.feed }}", "{{ params.at_most }}"))


assemblyline_url_feed()
