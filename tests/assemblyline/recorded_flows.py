"""Flows on the sandbox, with objects for them: tests record their responses."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from self_hosted.assemblyline import waits
from self_hosted.assemblyline.api import archive, heuristics, server, services, workflows
from self_hosted.assemblyline.api.account import account, settings
from self_hosted.assemblyline.api.alerts import alerts, batches, feed as alert_feed, queries
from self_hosted.assemblyline.api.alerts.changes import AlertChanges
from self_hosted.assemblyline.api.alerts.queries import AlertQuery
from self_hosted.assemblyline.api.bundles import bundles
from self_hosted.assemblyline.api.files import data_sources, files, reputation
from self_hosted.assemblyline.api.lists import additions, lists, updates
from self_hosted.assemblyline.api.retrohunts import retrohunts, starts
from self_hosted.assemblyline.api.search import aggregations, search
from self_hosted.assemblyline.api.signatures import (
    additions as signature_additions,
    fetches,
    signatures,
    source_changes,
    sources,
    statuses,
)
from self_hosted.assemblyline.api.submissions import (
    activity,
    digests,
    feed as submission_feed,
    idempotency,
    ingests,
    intake,
    notifications,
    owners,
    reports,
    resubmissions,
    results,
    submissions,
    verdicts,
)
from self_hosted.assemblyline.hook import AssemblylineHook
from self_hosted.core.http.flow import Flow, Upload
from tests.assemblyline.conftest import upload, wait_until

SHA256 = "a" * 64
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
RULE = {"type": "yara", "source": "own", "signature_id": "a", "name": "a", "data": "rule a {}", "status": "NOISY"}
SOURCE = {"name": "own", "uri": "https://example.com", "enabled": True, "default_classification": "TLP:C"}
ENTRY = {"type": "file", "hashes": {"sha256": SHA256}, "sources": [{"name": "x", "type": "external", "reason": ["y"]}]}
YARA = "rule test { condition: true }"

BUNDLE = Upload("a.al_bundle", lambda: io.BytesIO(b"CART"), 4)

REJECTED = {"bundles.import_from", "submissions.delete"}
"""Flows that the sandbox rejects in the end."""

MakeFlow = Callable[[], Flow[Any]]


class Objects:
    """Objects in the sandbox, for the flows that read or change them.

    :param hook: with an extended API key
    """

    def __init__(self, hook: AssemblylineHook) -> None:
        self.text = f"{uuid.uuid4().hex} RIG-SCORE:600 RIG-CHILD:inner"
        options = {"params": {"generate_alert": True}, "metadata": {"airflow_task": "t1"}}
        self.alert_id = hook.ingest(upload(self.text), {**options, "notification_queue": "q"})
        wait_until(lambda: hook.search_alerts(AlertQuery(f'alert_id:"{self.alert_id}"'), no_delay=True))
        self.sid = hook.get_alert(self.alert_id)["sid"]
        document = hook.get_submission(self.sid)
        self.sha256 = document["files"][0]["sha256"]
        self.results = document["results"]
        self.failed_sid = hook.submit(upload("RIG-FAIL"), {})["sid"]
        wait_until(lambda: hook.is_submission_completed(self.failed_sid))
        self.errors = hook.get_submission(self.failed_sid)["errors"]
        self.workflow_id = hook.create_workflow({"name": "a", "query": "*"})
        hook.add_to_list("badlist", ENTRY)
        self.hunt = hook.start_retrohunt(YARA, {"description": "x"})["key"]


def list_reads(made: Objects) -> Mapping[str, MakeFlow]:
    """Return the flows that only read."""
    query = AlertQuery(f'alert_id:"{made.alert_id}"')
    hashes = [made.sha256]
    return {
        "account.get": account.get,
        "account.get_quotas": account.get_quotas,
        "settings.get": settings.get,
        "server.get_configuration": server.get_configuration,
        "server.get_constants": server.get_constants,
        "server.is_component_enabled": lambda: server.is_component_enabled("ingester"),
        "server.list_paused_components": server.list_paused_components,
        "submissions.get": lambda: submissions.get(made.sid),
        "submissions.get_completed": lambda: submissions.get_completed(made.sid),
        "submissions.get_many": lambda: submissions.get_many([made.sid]),
        "submissions.search": lambda: submissions.search("*"),
        "idempotency.get": lambda: idempotency.get("t1"),
        "idempotency.list_by_tag": lambda: idempotency.list_by_tag("t1"),
        "owners.list_by_user": lambda: owners.list_by_user("admin"),
        "activity.count_active": activity.count_active,
        "activity.is_dispatched": lambda: activity.is_dispatched(made.sid),
        "digests.get": lambda: digests.get(made.sid),
        "digests.get, failed services": lambda: digests.get(made.failed_sid),
        "reports.get": lambda: reports.get(made.sid),
        "reports.get_full": lambda: reports.get_full(made.sid),
        "reports.get_summary": lambda: reports.get_summary(made.sid),
        "reports.get_tree": lambda: reports.get_tree(made.sid),
        "reports.get_file": lambda: reports.get_file(made.sid, made.sha256),
        "results.get": lambda: results.get(made.results[0]),
        "results.get_error": lambda: results.get_error(made.errors[0]),
        "results.get_many": lambda: results.get_many(made.results, made.errors),
        "verdicts.get_bands": verdicts.get_bands,
        "ingests.get_submissions": lambda: ingests.get_submissions([made.alert_id]),
        "ingests.get_reused_submissions": lambda: ingests.get_reused_submissions(hashes),
        "files.get": lambda: files.get(made.sha256),
        "files.get_results": lambda: files.get_results(made.sha256),
        "files.get_service_results": lambda: files.get_service_results(made.sha256, "RigScan"),
        "files.get_score": lambda: files.get_score(made.sha256),
        "files.list_children": lambda: files.list_children(made.sha256),
        "files.get_hex": lambda: files.get_hex(made.sha256),
        "files.get_ascii": lambda: files.get_ascii(made.sha256),
        "files.get_strings": lambda: files.get_strings(made.sha256),
        "reputation.look_up": lambda: reputation.look_up([made.sha256, SHA256], sources=["al"]),
        "data_sources.search": lambda: data_sources.search(made.sha256),
        "data_sources.list_all": data_sources.list_all,
        "alerts.get": lambda: alerts.get(made.alert_id),
        "queries.search": lambda: queries.search(query, no_delay=True),
        "queries.list_grouped": lambda: queries.list_grouped("file.sha256", query, no_delay=True),
        "queries.list_related_ids": lambda: queries.list_related_ids(query),
        "queries.count": lambda: queries.count(query, no_delay=True),
        "queries.count_by": lambda: queries.count_by("priorities", query, no_delay=True),
        "queries.get_statistics": lambda: queries.get_statistics(query, no_delay=True),
        "alert_feed.read_page": lambda: alert_feed.read_page(EPOCH, 0, 5, "*"),
        "alert_feed.get_newest_time": lambda: alert_feed.get_newest_time("*"),
        "submission_feed.read_page": lambda: submission_feed.read_page(EPOCH, 0, 5, "*", "info", 1),
        "submission_feed.get_newest_time": lambda: submission_feed.get_newest_time("*", None, None),
        "search.find": lambda: search.find("submission", {"query": "*"}),
        "search.find_with_total": lambda: search.find_with_total("file", {"query": "*"}),
        "search.read_page": lambda: search.read_page("file", {"query": "*", "rows": 1}),
        "aggregations.get_facet": lambda: aggregations.get_facet("submission", "state", {}),
        "aggregations.get_histogram": lambda: aggregations.get_histogram("submission", "max_score", {"gap": 100}),
        "aggregations.get_stats": lambda: aggregations.get_stats("file", "size", {}),
        "aggregations.get_groups": lambda: aggregations.get_groups("submission", "state", {}),
        "aggregations.list_fields": lambda: aggregations.list_fields("file"),
        "lists.get": lambda: lists.get("badlist", SHA256),
        "lists.get_many": lambda: lists.get_many("badlist", [SHA256]),
        "retrohunts.get": lambda: retrohunts.get(made.hunt),
        "retrohunts.get_many": lambda: retrohunts.get_many([made.hunt]),
        "retrohunts.search": lambda: retrohunts.search("*"),
        "retrohunts.list_hits": lambda: retrohunts.list_hits(made.hunt),
        "retrohunts.list_errors": lambda: retrohunts.list_errors(made.hunt),
        "retrohunts.count_types": lambda: retrohunts.count_types(made.hunt),
        "services.list_all": services.list_all,
        "services.get_constants": services.get_constants,
        "services.get": lambda: services.get("RigScan"),
        "services.list_versions": lambda: services.list_versions("RigScan"),
        "services.list_updates": services.list_updates,
        "heuristics.get": lambda: heuristics.get("RIGSCAN.1"),
        "heuristics.get_stats": heuristics.get_stats,
        "signatures.get": lambda: signatures.get("yara_own_a"),
        "signatures.get_stats": signatures.get_stats,
        "signatures.list_ids": lambda: signatures.list_ids("*", 9),
        "sources.list_all": sources.list_all,
        "fetches.get_statuses": fetches.get_statuses,
        "workflows.get": lambda: workflows.get(made.workflow_id),
        "workflows.search": workflows.search,
        "workflows.list_labels": workflows.list_labels,
        "waits.SUBMISSION": lambda: waits.refresh_submissions([made.sid, "unknown"]),
        "waits.PLACE": lambda: waits.refresh_places([made.sid]),
        "waits.stalled submissions": lambda: waits.explain_stalled_submissions([made.sid]),
        "waits.INGEST": lambda: waits.refresh_ingests([made.alert_id, waits.build_ingest_key("unknown", made.sha256)]),
        "waits.stalled ingests": lambda: waits.explain_stalled_ingests([made.alert_id]),
        "waits.IDLE": lambda: waits.refresh_idle([waits.build_idle_key("*", 5)]),
        "waits.ALERT": lambda: waits.refresh_alerts([query.query, f'alert_id:"{made.alert_id}"']),
        "waits.RETROHUNT": lambda: waits.refresh_retrohunts([made.hunt, "unknown"]),
        "waits.SIGNATURE_FETCH": lambda: waits.refresh_fetches([waits.build_fetch_key("YARA", ["own"])]),
    }


def list_writes(made: Objects) -> Mapping[str, MakeFlow]:
    """Return the flows that change something. They run in this order."""
    query = AlertQuery(f'alert_id:"{made.alert_id}"')
    changes = AlertChanges(["SEEN"], verdict="malicious", take_ownership=True)
    settings_of_source = {"uri": "https://example.com/a.git", "sync": True}
    rows = [{"name": "a", "data": "rule a { condition: true }"}, {"name": "b", "data": YARA, "classification": "TLP:C"}]
    further = {**ENTRY, "sources": [{"name": "z", "type": "external", "reason": ["y"]}]}
    return {
        "alerts.update": lambda: alerts.update(made.alert_id, changes),
        "alerts.set_status": lambda: alerts.set_status(made.alert_id, "TRIAGE"),
        "batches.update_matching": lambda: batches.update_matching(query, AlertChanges(["MORE"], verdict="malicious")),
        "settings.update": lambda: settings.update({"expand_min_score": 5}),
        "intake.submit": lambda: intake.submit(upload("x"), {}),
        "intake.submit_once": lambda: intake.submit_once(upload("y"), {"params": {"classification": "TLP:C"}}, "t2"),
        "ingests.create": lambda: ingests.create(upload("x"), {}),
        "ingests.create_once": lambda: ingests.create_once(upload("z"), {}, "t3"),
        "notifications.take": lambda: notifications.take("q"),
        "notifications.take_many": lambda: notifications.take_many("q"),
        "resubmissions.create": lambda: resubmissions.create(made.sid),
        "resubmissions.create_for_dynamic_analysis": lambda: resubmissions.create_for_dynamic_analysis(
            made.sha256, made.sid
        ),
        "resubmissions.create_with_profile": lambda: resubmissions.create_with_profile("static", made.sha256),
        "verdicts.set_user_verdict": lambda: verdicts.set_user_verdict(made.sid, "malicious"),
        "additions.add": lambda: additions.add("badlist", further),
        "additions.add_many": lambda: additions.add_many("badlist", [further, {**ENTRY, "hashes": {"md5": "b" * 32}}]),
        "updates.set_enabled": lambda: updates.set_enabled("badlist", SHA256, False),
        "updates.set_expiry": lambda: updates.set_expiry("badlist", SHA256, "2099-01-01"),
        "updates.set_attribution": lambda: updates.set_attribution(SHA256, "family", "EMOTET"),
        "updates.set_classification": lambda: updates.set_classification("badlist", SHA256, "z", "external", "TLP:C"),
        "updates.remove_source": lambda: updates.remove_source("badlist", SHA256, "z", "external"),
        "lists.remove": lambda: lists.remove("badlist", SHA256),
        "starts.start": lambda: starts.start(YARA, {"description": "x"}),
        "starts.start_once": lambda: starts.start_once(YARA, {"description": "x"}, "t4"),
        "starts.get_by_tag": lambda: starts.get_by_tag("t4"),
        "starts.repeat": lambda: starts.repeat(made.hunt, "TLP:C"),
        "archive.add_submission": lambda: archive.add_submission(made.sid),
        "services.update": lambda: services.update("RigScan", {"enabled": False}),
        "services.install_update": lambda: services.install_update("RigScan"),
        "statuses.set_status": lambda: statuses.set_status("yara_own_a", "DISABLED"),
        "statuses.set_statuses": lambda: statuses.set_statuses(["yara_own_a"], "NOISY"),
        "signature_additions.add_many": lambda: signature_additions.add_many("own", "yara", rows),
        "signatures.delete": lambda: signatures.delete("yara_own_a"),
        "fetches.fetch": lambda: fetches.fetch("YARA", ["own"]),
        "source_changes.set_source": lambda: source_changes.set_source("YARA", "own", settings_of_source),
        "source_changes.set_source, new": lambda: source_changes.set_source("YARA", "new", {"uri": "https://a"}),
        "sources.set_enabled": lambda: sources.set_enabled("YARA", "own", enabled=False),
        "sources.remove_source": lambda: sources.remove_source("YARA", "own"),
        "workflows.create": lambda: workflows.create({"name": "b", "query": "*"}),
        "workflows.update": lambda: workflows.update(made.workflow_id, {"name": "c"}),
        "workflows.set_enabled": lambda: workflows.set_enabled(made.workflow_id, False),
        "workflows.run": lambda: workflows.run(made.workflow_id),
        "workflows.delete": lambda: workflows.delete(made.workflow_id),
        "bundles.import_from": lambda: bundles.import_from(BUNDLE, "s1", rescan_services=["RigScan"]),
        "idempotency.end_duplicates": lambda: idempotency.end_duplicates("t1", "other"),
        "submissions.cancel": lambda: submissions.cancel(made.sid),
        "submissions.delete": lambda: submissions.delete(made.sid),
        "submissions.delete_many": lambda: submissions.delete_many([made.sid]),
    }
