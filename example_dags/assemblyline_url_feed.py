"""Analyse the URLs of a threat feed, and add the bad ones to Assemblyline's badlist.

Every hour, one mapped task per entry submits the entries of `feed` that were not analysed in the last 30 days. The
submissions' metadata shows which ones were analysed, so that the DAG keeps no state. A URL with the verdict
`block_from`, or worse, goes to the badlist, so that files that contain it are flagged from then on.

The feed is a text file with one URL per line, at a path or a URI of an object store; lines that start with # are
comments. Needs the connection `assemblyline_default`, and a service of Assemblyline that fetches URLs.
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
    max_active_runs=1,  # so that two runs do not submit the same entries
    default_args={"retries": 3, "retry_delay": timedelta(minutes=1)},
    params={
        "feed": Param("/srv/feeds/urls.txt", type="string", description="a path or a URI"),
        "max_urls": Param(100, type="integer", minimum=1, description="URLs per run; the others wait for the next run"),
        "block_from": Param(
            "malicious", type="string", enum=VERDICTS, description="block URLs with this verdict or worse"
        ),
    },
    doc_md=__doc__,
    tags=["example", "assemblyline"],
)
def assemblyline_url_feed() -> None:
    """Analyse each new entry of the feed, and block it if it is bad."""

    @task
    def new_entries(feed: str, max_urls: Any) -> list[str]:
        """Return the entries without a recent analysis."""
        from self_hosted.assemblyline.api.search import lucene
        from self_hosted.assemblyline.hook import AssemblylineHook

        path = ObjectStoragePath(feed)
        if not path.is_file():
            raise AirflowSkipException(f"the feed {feed} does not exist")
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        entries = dict.fromkeys(line for line in lines if line and not line.startswith("#"))
        wanted = {
            "query": f"metadata.feed:{lucene.quote(feed)}",
            "filters": ["times.submitted:[now-30d TO now]"],
            "fl": "*",
        }
        known = {found["metadata"]["entry"] for found in AssemblylineHook().search_all("submission", wanted)}
        new = [entry for entry in entries if entry not in known]
        if not new:
            raise AirflowSkipException(f"no new entries in {feed}")
        return new[: int(max_urls)]

    @task
    def is_bad(analysed: Any, block_from: str) -> None:
        """Skip the blocking of other URLs."""
        if analysed["verdict"] not in VERDICTS[VERDICTS.index(block_from) :]:
            raise AirflowSkipException(f"the verdict is {analysed['verdict']}: {analysed['url']}")

    @task_group
    def entry(url: str) -> None:
        """Analyse and block one URL."""
        analysed = AssemblylineSubmitUrlOperator(
            task_id="analyse",
            url=url,
            metadata={"feed": "{{ params.feed }}", "entry": url},
            submission_profile="static_with_internet",
            deferrable=True,
            max_active_tis_per_dagrun=5,  # the default quota of running submissions per user
        )
        block = AssemblylineAddToListOperator(
            task_id="block",
            list_name="badlist",
            tags={"network.static.uri": [url]},
            reason="Analysed as an entry of the feed {{ params.feed }}",
        )
        is_bad(analysed.output, "{{ params.block_from }}") >> block

    entry.expand(url=new_entries("{{ params.feed }}", "{{ params.max_urls }}"))


assemblyline_url_feed()
