"""Roles of users and API keys."""

from __future__ import annotations

READ_ROLES = (
    "alert_view",
    "archive_view",
    "badlist_view",
    "bundle_download",
    "external_query",
    "file_detail",
    "file_download",
    "heuristic_view",
    "retrohunt_view",
    "safelist_view",
    "signature_download",
    "signature_view",
    "submission_view",
    "workflow_view",
)
WRITE_ROLES = (
    "alert_manage",
    "archive_trigger",
    "badlist_manage",
    "retrohunt_run",
    "safelist_manage",
    "submission_create",
    "submission_customize",
    "submission_delete",
    "submission_manage",
)
EXTENDED_ROLES = (
    "administration",
    "file_purge",
    "self_manage",
    "signature_import",
    "signature_manage",
    "workflow_manage",
)
STANDARD_ROLES = (*READ_ROLES, *WRITE_ROLES)
ALL_ROLES = (*STANDARD_ROLES, *EXTENDED_ROLES)
