"""The intake of submissions: submit a source exactly once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, TypedDict

import typing_extensions

from self_hosted.assemblyline.api import recovery
from self_hosted.assemblyline.api.submissions import idempotency, sources, submissions, validation
from self_hosted.assemblyline.api.submissions.contents import Content
from self_hosted.assemblyline.api.submissions.sources import Source
from self_hosted.assemblyline.api.submissions.types import FileHash
from self_hosted.assemblyline.errors import call_object
from self_hosted.core.http.errors import ConcurrencyQuotaError, SelfHostedError
from self_hosted.core.http.flow import Flow
from self_hosted.core.http.logs import get_logger
from self_hosted.core.http.recovery import poll_for_effect

log = get_logger(__name__)

QUOTA_MESSAGE = re.compile(r"concurrent submission quota of (\d+)")


class Submitted(TypedDict):
    """A submission that was started under a tag.

    :param sid: id of the submission
    :param sha256: SHA-256 of the submitted file; None if the server does not show it
    :param doubtful: whether a response was lost, now or in an earlier attempt: another submission with this tag may
        appear, which `idempotency.end_duplicates` ends
    :param left_alone: why other submissions with this tag are not used: they have another content
    """

    sid: str
    sha256: str | None
    doubtful: bool
    left_alone: list[str]


class _Submission(typing_extensions.TypedDict):
    sid: str
    files: typing_extensions.NotRequired[list[FileHash]]


def submit(source: Source, options: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Submit a source and return the new submission's document. Each call creates one submission.

    Without a tag in the metadata it gets a new one, by which it is found if the response is lost.

    ``POST /api/v4/submit/``

    :param source: a file, or exactly one of {"url": ...}, {"plaintext": ...}, {"base64": ...} and, for a file that the
        server has, {"sha256": ...}, {"sha1": ...}, {"md5": ...}, {"ssdeep": ...}, {"tlsh": ...}
    :param options: all optional: name, metadata, params, submission_profile
    :raises ValueError: if the source is invalid
    :raises NotFoundError: if the server has no file with this hash
    """
    tag = idempotency.get_or_create_tag(options)
    send = partial(_send, source, idempotency.add_tag(options, tag))
    document, _ = yield from recovery.read_back(send, partial(idempotency.find, tag, Content(source)))
    log.info("Submission %s: submitted %s", document["sid"], sources.describe_content(source))
    return document


def submit_fail_fast(source: Source, options: Mapping[str, Any], tag: str) -> Flow[Submitted]:
    """Submit one of many sources under a new tag.

    Nothing is checked first: call `validation.check_options` and `validation.get_size_limit` once for all of them.

    ``POST /api/v4/submit/``

    :param source: see `submit`
    :param options: see `submit`
    :param tag: identifies the piece of work
    :return: `Submitted`
    :raises ConcurrencyQuotaError: at once, if the user's quota of running submissions is full
    """
    send = partial(_send, source, idempotency.add_tag(options, tag), fail_fast_on_quota=True)
    content = Content(source)
    document, is_lost = yield from recovery.read_back(send, partial(idempotency.find, tag, content))
    log.debug("Submission %s: submitted %s", document["sid"], sources.describe_content(source))  # one of many
    return _describe(document, content, is_doubtful=is_lost)


def submit_once(
    source: Source,
    options: Mapping[str, Any],
    tag: str,
    quota_timeout: float = 0,
    *,
    previous_attempt_unknown: bool = False,
) -> Flow[Submitted]:
    """Submit a source, unless a submission of it with this tag exists. One of anything else is left alone.

    Size, options, params and profile are checked first: the server detects the size only after the upload, and ignores
    unknown ones of the others.

    ``POST /api/v4/submit/``

    :param source: see `submit`
    :param options: see `submit`
    :param tag: identifies the piece of work, with all options that affect its verdict
    :param quota_timeout: seconds to wait while the user's quota of running submissions is full, after the connection's
        own retries
    :param previous_attempt_unknown: whether an earlier client may have died during the submission: it is then looked
        for as after a lost response
    :return: `Submitted`
    :raises ValueError: if the source is invalid or too large, or the server does not know an option or a param
    :raises NotFoundError: if the server has no file with this hash
    :raises ConcurrencyQuotaError: if the quota stays full
    """
    delays = recovery.RECHECK_DELAYS_SECONDS if previous_attempt_unknown else ()
    content = Content(source)
    find = partial(idempotency.find, tag, content)
    found = yield from poll_for_effect(find, delays)
    if found is not None:
        log.info("Submission %s: found, an earlier try submitted %s", found["sid"], sources.describe_content(source))
        return _describe(found, content, is_doubtful=True)
    validation.check_options(options)
    yield from validation.check_upload(source, options)
    send = partial(_send_within_quota, source, idempotency.add_tag(options, tag), quota_timeout)
    document, is_lost = yield from recovery.read_back(send, find)
    log.info("Submission %s: submitted %s", document["sid"], sources.describe_content(source))
    return _describe(document, content, is_doubtful=is_lost or previous_attempt_unknown)


def _describe(document: Mapping[str, Any], content: Content, *, is_doubtful: bool) -> Submitted:
    return Submitted(
        sid=document["sid"],
        sha256=submissions.get_sha256(document),
        doubtful=is_doubtful,
        left_alone=[*content.left_alone.values()],
    )


def parse_quota(error: SelfHostedError) -> int | None:
    """Return the quota of running submissions that an error names, or None for any other error.

    :param error: such as "You've exceeded your maximum concurrent submission quota of 5"
    """
    match = QUOTA_MESSAGE.search(error.message)
    return int(match[1]) if match else None


def _send(source: Source, options: Mapping[str, Any], *, fail_fast_on_quota: bool = False) -> Flow[dict[str, Any]]:
    request = sources.build_request("submit", source, options, fail_fast_on_quota=fail_fast_on_quota)
    return call_object(request, _Submission)


def _send_within_quota(source: Source, options: Mapping[str, Any], timeout: float) -> Flow[dict[str, Any]]:
    """Submit as soon as the quota allows one more submission."""
    from self_hosted.core.http.retries import with_retries  # imports tenacity, which only submissions need

    return (yield from with_retries(lambda: _send(source, options), _is_submission_quota, timeout))


def _is_submission_quota(error: SelfHostedError) -> bool:
    # the quota of concurrent API calls frees up in a moment: the transport's own retries are enough
    return isinstance(error, ConcurrencyQuotaError) and "submission" in error.message
