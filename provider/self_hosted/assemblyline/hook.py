"""How one signs in to Assemblyline, and a table of contents of what can be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from self_hosted.assemblyline import api
from self_hosted.assemblyline.connection import FORM
from self_hosted.core.auth import Auth, HeaderAuth, LoginAuth
from self_hosted.core.connection import Settings
from self_hosted.core.errors import Broken, Forbidden
from self_hosted.core.flow import Flow, Request, Secret
from self_hosted.core.hook import ProductHook, published
from self_hosted.core.paging import published_pages

NEEDED_ROLES = {"submission_create": "to submit", "submission_view": "to read results"}
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


class SessionAuth(LoginAuth):
    """User and password, exchanged for a session cookie and the token that guards it against cross-site requests.

    :param user: its name
    :param password: its password
    """

    def __init__(self, user: str, password: str) -> None:
        super().__init__()
        self.user, self.password = user, password

    def login(self) -> Flow[Mapping[str, str]]:
        """``POST /api/v4/auth/login/``; the session lasts an hour after its last use."""
        credential = {"user": self.user, "password": self.password}
        reply = yield Request("POST", f"{api.API}/auth/login/", json=credential, repeatable=True)
        cookies = reply.headers.get("set-cookie", "")
        session, xsrf = _cookie(cookies, "session"), _cookie(cookies, "XSRF-TOKEN")
        if not session:
            raise reply.error(Broken, "the login gave no session cookie")
        yield Secret(session)
        return {"Cookie": f"session={session}", "X-XSRF-TOKEN": xsrf}


def _cookie(cookies: str, name: str) -> str:
    """A cookie's value; both transports join several Set-Cookie headers with commas."""
    found = re.search(rf"(?:^|[,;\s]){re.escape(name)}=([^;,\s]+)", cookies)
    return found[1] if found else ""


class AssemblylineHook(ProductHook):
    """Asks Assemblyline 4.

    :param assemblyline_conn_id: the Airflow connection, with exactly one of API key, password and bearer token
    """

    form = FORM
    error_of = staticmethod(api.error_of)

    def __init__(self, assemblyline_conn_id: str = "assemblyline_default") -> None:
        super().__init__(assemblyline_conn_id)

    def auth(self, settings: Settings) -> Auth:
        """Headers of an API key or token, or a session; never two at once, which the server answers with HTTP 500."""
        ways = {
            "api_key": (settings.extra["api_key"] or "").strip(),
            "password": settings.password,
            "bearer_token": (settings.extra["bearer_token"] or "").strip(),
        }
        given = [name for name, secret in ways.items() if secret]
        try:
            return _AUTHS[_only(given)](settings.login.strip(), ways[given[0]])
        except ValueError as problem:
            raise ValueError(f"connection {settings.conn_id!r}: {problem}") from None

    def signed_in(self) -> Flow[str]:
        """Prove the credential and its roles."""
        user = yield from api.whoami()
        name, missing = user["username"], [role for role in NEEDED_ROLES if role not in user["roles"]]
        if missing:
            lacks = " and ".join(f"{role} ({NEEDED_ROLES[role]})" for role in missing)
            raise Forbidden(
                f"Signed in to Assemblyline as {name}, who lacks the role {lacks}: give the API key R and W"
            )
        return f"Signed in to Assemblyline {user['version']} as {name}, with the roles to submit and to read results"

    whoami = published(api.whoami)
    quotas = published(api.quotas)
    user_settings = published(api.user_settings)
    change_user_settings = published(api.change_user_settings)
    configuration = published(api.configuration)
    submission_profile = published(api.submission_profile)
    verdict_bands = published(api.verdict_bands)
    classification_definition = published(api.classification_definition)
    constants = published(api.constants)
    terms_of_service = published(api.terms_of_service)
    component_status = published(api.component_status)
    submission = published(api.submission)
    submissions = published(api.submissions)
    search_submissions = published(api.search_submissions)
    search = published(api.search)
    search_result = published(api.search_result)
    search_page = published(api.search_page)
    search_all = published_pages(api.search_all)
    search_facet = published(api.search_facet)
    search_histogram = published(api.search_histogram)
    search_stats = published(api.search_stats)
    search_grouped = published(api.search_grouped)
    search_fields = published(api.search_fields)
    hash_search = published(api.hash_search)
    list_data_sources = published(api.list_data_sources)
    look_up_hashes = published(api.look_up_hashes)
    is_completed = published(api.is_completed)
    submit = published(api.submit)
    submit_once = published(api.submit_once)
    resubmit = published(api.resubmit)
    resubmit_for_dynamic = published(api.resubmit_for_dynamic)
    resubmit_with_profile = published(api.resubmit_with_profile)
    tagged_submission = published(api.tagged_submission)
    tagged_submissions = published(api.tagged_submissions)
    end_duplicates = published(api.end_duplicates)
    ingest = published(api.ingest)
    ingest_once = published(api.ingest_once)
    ingested_submissions = published(api.ingested_submissions)
    reused_submissions = published(api.reused_submissions)
    take_message = published(api.take_message)
    take_messages = published(api.take_messages)
    paused_components = published(api.paused_components)
    is_taken_up = published(api.is_taken_up)
    running_submissions = published(api.running_submissions)
    cancel_submission = published(api.cancel_submission)
    delete_submission = published(api.delete_submission)
    delete_submissions = published(api.delete_submissions)
    full_submission = published(api.full_submission)
    submission_summary = published(api.submission_summary)
    submission_tree = published(api.submission_tree)
    submission_report = published(api.submission_report)
    submission_file = published(api.submission_file)
    submission_digest = published(api.submission_digest)
    user_submissions = published(api.user_submissions)
    group_submissions = published(api.group_submissions)
    set_verdict = published(api.set_verdict)
    service_result = published(api.service_result)
    service_error = published(api.service_error)
    service_results = published(api.service_results)
    file_info = published(api.file_info)
    file_results = published(api.file_results)
    file_results_of_service = published(api.file_results_of_service)
    file_score = published(api.file_score)
    file_children = published(api.file_children)
    file_hex = published(api.file_hex)
    file_ascii = published(api.file_ascii)
    file_strings = published(api.file_strings)
    download_file = published(api.download_file)
    purge_file = published(api.purge_file)
    alert = published(api.alert)
    alerts = published(api.alerts)
    grouped_alerts = published(api.grouped_alerts)
    related_alerts = published(api.related_alerts)
    alert_count = published(api.alert_count)
    alert_counts = published(api.alert_counts)
    alert_statistics = published(api.alert_statistics)
    update_alert = published(api.update_alert)
    update_alerts = published(api.update_alerts)
    add_alert_labels = published(api.add_alert_labels)
    remove_alert_labels = published(api.remove_alert_labels)
    set_alert_priority = published(api.set_alert_priority)
    set_alert_status = published(api.set_alert_status)
    set_alert_verdict = published(api.set_alert_verdict)
    take_alert = published(api.take_alert)
    submission_ontology = published(api.submission_ontology)
    alert_ontology = published(api.alert_ontology)
    file_ontology = published(api.file_ontology)
    services = published(api.services)
    service_constants = published(api.service_constants)
    service = published(api.service)
    service_versions = published(api.service_versions)
    change_service = published(api.change_service)
    service_updates = published(api.service_updates)
    update_service = published(api.update_service)
    heuristic = published(api.heuristic)
    heuristic_stats = published(api.heuristic_stats)
    signature = published(api.signature)
    search_signatures = published(api.search_signatures)
    signature_stats = published(api.signature_stats)
    change_signature_status = published(api.change_signature_status)
    signature_sources = published(api.signature_sources)
    enable_signature_source = published(api.enable_signature_source)
    update_signature_sources = published(api.update_signature_sources)
    download_signatures = published(api.download_signatures)
    export_bundle = published(api.export_bundle)
    import_bundle = published(api.import_bundle)
    list_entry = published(api.list_entry)
    list_entries = published(api.list_entries)
    add_to_list = published(api.add_to_list)
    add_many_to_list = published(api.add_many_to_list)
    remove_from_list = published(api.remove_from_list)
    enable_in_list = published(api.enable_in_list)
    expire_in_list = published(api.expire_in_list)
    classify_in_list = published(api.classify_in_list)
    remove_source_from_list = published(api.remove_source_from_list)
    attribute_in_badlist = published(api.attribute_in_badlist)
    similar_in_badlist = published(api.similar_in_badlist)
    start_retrohunt = published(api.start_retrohunt)
    start_retrohunt_once = published(api.start_retrohunt_once)
    tagged_retrohunt = published(api.tagged_retrohunt)
    retrohunt = published(api.retrohunt)
    retrohunts = published(api.retrohunts)
    search_retrohunts = published(api.search_retrohunts)
    retrohunt_hits = published(api.retrohunt_hits)
    retrohunt_errors = published(api.retrohunt_errors)
    retrohunt_types = published(api.retrohunt_types)
    repeat_retrohunt = published(api.repeat_retrohunt)
    archive_submission = published(api.archive_submission)
    workflow = published(api.workflow)
    search_workflows = published(api.search_workflows)
    workflow_labels = published(api.workflow_labels)
    add_workflow = published(api.add_workflow)
    edit_workflow = published(api.edit_workflow)
    enable_workflow = published(api.enable_workflow)
    run_workflow = published(api.run_workflow)
    delete_workflow = published(api.delete_workflow)


def _only(given: list[str]) -> str:
    if not given:
        raise ValueError("the credential is missing: fill in api_key, password or bearer_token")
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are given; leave all but one of them empty")
    return given[0]


def _api_key(user: str, key: str) -> Auth:
    name, _, secret = key.partition(":")
    if not name or not secret:
        raise ValueError("api_key must be of the form name:secret, as Assemblyline shows it when the key is made")
    return HeaderAuth({"X-User": _named(user, "API key"), "X-Apikey": key})


def _password(user: str, password: str) -> Auth:
    return SessionAuth(_named(user, "password"), password)


def _bearer_token(user: str, token: str) -> Auth:
    # the server answers anything else with HTTP 500
    if not JWT.fullmatch(token):
        raise ValueError("bearer_token must be a JWT: three parts with dots between them, without the word Bearer")
    return HeaderAuth({"Authorization": f"Bearer {token}"})


def _named(user: str, secret: str) -> str:
    if not user:
        raise ValueError(f"login is missing: the user whose {secret} it is")
    return user


_AUTHS = {"api_key": _api_key, "password": _password, "bearer_token": _bearer_token}
