"""The only service of the fake server, which analyzes all files."""

from __future__ import annotations

from typing import Any

SERVICE_NAME, SERVICE_VERSION = "RigScan", "4.7.0.1"
CATEGORIES = (
    "Antivirus",
    "Dynamic Analysis",
    "External",
    "Extraction",
    "Filtering",
    "Internet Connected",
    "Networking",
    "Static Analysis",
)
STAGES = ("FILTER", "EXTRACT", "CORE", "SECONDARY", "POST", "REVIEW")
MEMBERS = {"Static Analysis": [SERVICE_NAME], "CORE": [SERVICE_NAME]}
SUMMARY: dict[str, Any] = {
    "accepts": ".*",
    "category": "Static Analysis",
    "classification": "TLP:C",
    "description": "Looks for words that say what it is to find",
    "enabled": True,
    "is_external": False,
    "name": SERVICE_NAME,
    "privileged": False,
    "rejects": "empty|metadata/.*",
    "stage": "CORE",
    "version": SERVICE_VERSION,
}
DEFAULT_SETTINGS: dict[str, Any] = {
    **SUMMARY,
    "config": {},
    "docker_config": {"image": "none/none:latest", "registry_password": "", "registry_username": ""},
    "licence_count": 0,
    "submission_params": [],
    "timeout": 60,
    "update_channel": "stable",
}
