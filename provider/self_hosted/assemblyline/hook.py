"""The sign-in to Assemblyline, and its API as methods, grouped by resource.

A method is named by a verb and its resource: the flow ``alerts.update`` is the method ``update_alert``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from self_hosted.assemblyline import errors
from self_hosted.assemblyline.api import archive, heuristics, ontologies, server, services, workflows
from self_hosted.assemblyline.api.account import account, settings as user_settings
from self_hosted.assemblyline.api.alerts import alerts, batches, queries
from self_hosted.assemblyline.api.bundles import bundles
from self_hosted.assemblyline.api.files import data_sources, downloads, files, reputation
from self_hosted.assemblyline.api.lists import additions, lists, updates
from self_hosted.assemblyline.api.retrohunts import retrohunts, starts
from self_hosted.assemblyline.api.search import aggregations, search as index_search
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
from self_hosted.assemblyline.connection import FORM
from self_hosted.core.connection.hook import SelfHostedHook, hook_iterator, hook_method
from self_hosted.core.connection.settings import Settings
from self_hosted.core.http.auth import Auth, HeaderAuth, LoginAuth
from self_hosted.core.http.errors import PermissionDeniedError, ServerError
from self_hosted.core.http.flow import Flow, Request, Secret

REQUIRED_ROLES = {"submission_create": "to submit", "submission_view": "to read results"}
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


class SessionAuth(LoginAuth):
    """User and password, exchanged for a session cookie and a token against cross-site request forgery.

    :param user: name of the user
    :param password: password of the user
    """

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self.user, self.password = user, password

    def login(self) -> Flow[Mapping[str, str]]:
        """Sign in; ``POST /api/v4/auth/login/``. The session expires an hour after its last use."""
        credential = {"user": self.user, "password": self.password}
        reply = yield Request("POST", f"{errors.API_PATH}/auth/login/", json=credential, idempotent=True)
        cookies = reply.headers.get("set-cookie", "")
        session, xsrf = _read_cookie(cookies, "session"), _read_cookie(cookies, "XSRF-TOKEN")
        if not session:
            raise reply.error(ServerError, "the login returned no session cookie")
        yield Secret(session)
        return {"Cookie": f"session={session}", "X-XSRF-TOKEN": xsrf}


def _read_cookie(cookies: str, name: str) -> str:
    """Return a cookie's value; both transports join several Set-Cookie headers with commas."""
    match = re.search(rf"(?:^|[,;\s]){re.escape(name)}=([^;,\s]+)", cookies)
    return match[1] if match else ""


class AssemblylineHook(SelfHostedHook):
    """Calls the REST API of Assemblyline 4.

    :param assemblyline_conn_id: the Airflow connection, with exactly one of API key, password and bearer token
    """

    form = FORM
    parse_error = staticmethod(errors.parse_error)

    def __init__(self, assemblyline_conn_id: str = "assemblyline_default") -> None:
        super().__init__(assemblyline_conn_id)

    def auth(self, settings: Settings) -> Auth:
        """Return the sign-in of the connection's only credential; the server answers two at once with HTTP 500."""
        credentials = {
            "api_key": (settings.extra["api_key"] or "").strip(),
            "password": settings.password,
            "bearer_token": (settings.extra["bearer_token"] or "").strip(),
        }
        try:
            kind = _require_one([name for name, secret in credentials.items() if secret])
            return _AUTH_BUILDERS[kind](settings.login.strip(), credentials[kind])
        except ValueError as error:
            raise ValueError(f"connection {settings.conn_id!r}: {error}") from None

    def verify_credentials(self) -> Flow[str]:
        """Prove the credential and its roles; return one sentence with the user and the server's version."""
        user = yield from account.get()
        name, missing = user["username"], [role for role in REQUIRED_ROLES if role not in user["roles"]]
        if missing:
            roles = " and ".join(f"{role} ({REQUIRED_ROLES[role]})" for role in missing)
            raise PermissionDeniedError(
                f"Signed in to Assemblyline as {name}, but the role {roles} is missing: give the API key R and W"
            )
        return f"Signed in to Assemblyline {user['version']} as {name}, with the roles to submit and to read results"

    # account
    get_account = hook_method(account.get)
    get_quotas = hook_method(account.get_quotas)
    get_submission_profile = hook_method(account.get_submission_profile)
    get_user_settings = hook_method(user_settings.get)
    update_user_settings = hook_method(user_settings.update)

    # server
    get_configuration = hook_method(server.get_configuration)
    get_classification_definition = hook_method(server.get_classification_definition)
    get_constants = hook_method(server.get_constants)
    get_terms_of_service = hook_method(server.get_terms_of_service)
    is_component_enabled = hook_method(server.is_component_enabled)
    list_paused_components = hook_method(server.list_paused_components)

    # submissions
    submit = hook_method(intake.submit)
    submit_once = hook_method(intake.submit_once)
    resubmit = hook_method(resubmissions.create)
    resubmit_for_dynamic_analysis = hook_method(resubmissions.create_for_dynamic_analysis)
    resubmit_with_profile = hook_method(resubmissions.create_with_profile)
    get_submission = hook_method(submissions.get)
    get_submissions = hook_method(submissions.get_many)
    get_submission_by_tag = hook_method(idempotency.get)
    list_submissions_by_tag = hook_method(idempotency.list_by_tag)
    list_submissions_by_user = hook_method(owners.list_by_user)
    list_submissions_by_group = hook_method(owners.list_by_group)
    search_submissions = hook_method(submissions.search)
    count_active_submissions = hook_method(activity.count_active)
    is_submission_completed = hook_method(submissions.is_completed)
    is_submission_dispatched = hook_method(activity.is_dispatched)
    end_duplicate_submissions = hook_method(idempotency.end_duplicates)
    cancel_submission = hook_method(submissions.cancel)
    delete_submission = hook_method(submissions.delete)
    delete_submissions = hook_method(submissions.delete_many)

    # submissions: reports, results and verdicts
    get_submission_digest = hook_method(digests.get)
    get_submission_report = hook_method(reports.get)
    get_submission_summary = hook_method(reports.get_summary)
    get_submission_tree = hook_method(reports.get_tree)
    get_submission_file = hook_method(reports.get_file)
    get_full_submission = hook_method(reports.get_full)
    get_result = hook_method(results.get)
    get_result_error = hook_method(results.get_error)
    get_results = hook_method(results.get_many)
    get_verdict_bands = hook_method(verdicts.get_bands)
    set_submission_verdict = hook_method(verdicts.set_user_verdict)

    # ingests and their notification queues
    ingest = hook_method(ingests.create)
    ingest_once = hook_method(ingests.create_once)
    get_ingested_submissions = hook_method(ingests.get_submissions)
    get_reused_submissions = hook_method(ingests.get_reused_submissions)
    take_notification = hook_method(notifications.take)
    take_notifications = hook_method(notifications.take_many)

    # files
    get_file = hook_method(files.get)
    get_file_results = hook_method(files.get_results)
    get_file_service_results = hook_method(files.get_service_results)
    get_file_score = hook_method(files.get_score)
    get_file_hex = hook_method(files.get_hex)
    get_file_ascii = hook_method(files.get_ascii)
    get_file_strings = hook_method(files.get_strings)
    list_file_children = hook_method(files.list_children)
    download_file = hook_method(downloads.download)
    purge_file = hook_method(files.purge)

    # files: lookups by hash
    look_up_hashes = hook_method(reputation.look_up)
    search_data_sources = hook_method(data_sources.search)
    list_data_sources = hook_method(data_sources.list_all)

    # alerts
    get_alert = hook_method(alerts.get)
    search_alerts = hook_method(queries.search)
    list_grouped_alerts = hook_method(queries.list_grouped)
    list_related_alert_ids = hook_method(queries.list_related_ids)
    count_alerts = hook_method(queries.count)
    count_alerts_by = hook_method(queries.count_by)
    get_alert_statistics = hook_method(queries.get_statistics)
    update_alert = hook_method(alerts.update)
    update_alerts = hook_method(batches.update_matching)
    add_alert_labels = hook_method(alerts.add_labels)
    remove_alert_labels = hook_method(alerts.remove_labels)
    set_alert_priority = hook_method(alerts.set_priority)
    set_alert_status = hook_method(alerts.set_status)
    set_alert_verdict = hook_method(alerts.set_verdict)
    take_alert_ownership = hook_method(alerts.take_ownership)

    # search
    search = hook_method(index_search.find)
    search_with_total = hook_method(index_search.find_with_total)
    search_page = hook_method(index_search.read_page)
    search_all = hook_iterator(index_search.find_all)
    search_facet = hook_method(aggregations.get_facet)
    search_histogram = hook_method(aggregations.get_histogram)
    search_stats = hook_method(aggregations.get_stats)
    search_groups = hook_method(aggregations.get_groups)
    list_search_fields = hook_method(aggregations.list_fields)

    # lists: badlist and safelist
    get_list_entry = hook_method(lists.get)
    get_list_entries = hook_method(lists.get_many)
    find_similar_in_badlist = hook_method(lists.find_similar)
    add_to_list = hook_method(additions.add)
    add_many_to_list = hook_method(additions.add_many)
    remove_from_list = hook_method(lists.remove)
    remove_list_entry_source = hook_method(updates.remove_source)
    set_list_entry_attribution = hook_method(updates.set_attribution)
    set_list_entry_classification = hook_method(updates.set_classification)
    set_list_entry_enabled = hook_method(updates.set_enabled)
    set_list_entry_expiry = hook_method(updates.set_expiry)

    # retrohunts
    start_retrohunt = hook_method(starts.start)
    start_retrohunt_once = hook_method(starts.start_once)
    repeat_retrohunt = hook_method(starts.repeat)
    get_retrohunt = hook_method(retrohunts.get)
    get_retrohunts = hook_method(retrohunts.get_many)
    get_retrohunt_by_tag = hook_method(starts.get_by_tag)
    search_retrohunts = hook_method(retrohunts.search)
    list_retrohunt_hits = hook_method(retrohunts.list_hits)
    list_retrohunt_errors = hook_method(retrohunts.list_errors)
    count_retrohunt_types = hook_method(retrohunts.count_types)

    # bundles and the archive
    export_bundle = hook_method(bundles.export_to)
    import_bundle = hook_method(bundles.import_from)
    archive_submission = hook_method(archive.add_submission)

    # ontologies
    save_submission_ontology = hook_method(ontologies.save_for_submission)
    save_alert_ontology = hook_method(ontologies.save_for_alert)
    save_file_ontology = hook_method(ontologies.save_for_file)

    # services and heuristics
    list_services = hook_method(services.list_all)
    get_service = hook_method(services.get)
    get_service_constants = hook_method(services.get_constants)
    list_service_versions = hook_method(services.list_versions)
    list_service_updates = hook_method(services.list_updates)
    install_service_update = hook_method(services.install_update)
    update_service = hook_method(services.update)
    get_heuristic = hook_method(heuristics.get)
    get_heuristic_stats = hook_method(heuristics.get_stats)

    # signatures
    get_signature = hook_method(signatures.get)
    get_signature_stats = hook_method(signatures.get_stats)
    search_signatures = hook_method(signatures.search)
    list_signature_ids = hook_method(signatures.list_ids)
    download_signatures = hook_method(signatures.download)
    add_signature = hook_method(signature_additions.add)
    add_signatures = hook_method(signature_additions.add_many)
    set_signature_status = hook_method(statuses.set_status)
    set_signature_statuses = hook_method(statuses.set_statuses)
    delete_signature = hook_method(signatures.delete)

    # signatures: their sources
    list_signature_sources = hook_method(sources.list_all)
    get_signature_source_statuses = hook_method(fetches.get_statuses)
    set_signature_source = hook_method(source_changes.set_source)
    set_signature_source_enabled = hook_method(sources.set_enabled)
    fetch_signature_sources = hook_method(fetches.fetch)
    remove_signature_source = hook_method(sources.remove_source)

    # workflows
    get_workflow = hook_method(workflows.get)
    search_workflows = hook_method(workflows.search)
    list_workflow_labels = hook_method(workflows.list_labels)
    create_workflow = hook_method(workflows.create)
    update_workflow = hook_method(workflows.update)
    set_workflow_enabled = hook_method(workflows.set_enabled)
    run_workflow = hook_method(workflows.run)
    delete_workflow = hook_method(workflows.delete)


def _require_one(names: list[str]) -> str:
    """Return the only credential that is given."""
    if not names:
        raise ValueError("the credential is missing: fill in api_key, password or bearer_token")
    if len(names) > 1:
        raise ValueError(f"{' and '.join(names)} are given; leave all but one of them empty")
    return names[0]


def _build_key_auth(user: str, key: str) -> Auth:
    name, _, secret = key.partition(":")
    if not name or not secret:
        raise ValueError("api_key must have the form name:secret, as Assemblyline shows it when the key is created")
    return HeaderAuth({"X-User": _require_login(user, "API key"), "X-Apikey": key})


def _build_session_auth(user: str, password: str) -> Auth:
    return SessionAuth(_require_login(user, "password"), password)


def _build_token_auth(user: str, token: str) -> Auth:
    # the server answers anything else with HTTP 500
    if not JWT.fullmatch(token):
        raise ValueError("bearer_token must be a JWT: three parts separated by dots, without the word Bearer")
    return HeaderAuth({"Authorization": f"Bearer {token}"})


def _require_login(user: str, credential: str) -> str:
    if not user:
        raise ValueError(f"login is missing: enter the user of the {credential}")
    return user


_AUTH_BUILDERS = {"api_key": _build_key_auth, "password": _build_session_auth, "bearer_token": _build_token_auth}
