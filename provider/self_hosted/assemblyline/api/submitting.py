"""Submitting, exactly once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from self_hosted.assemblyline.api.checks import check_options, check_upload
from self_hosted.assemblyline.api.envelope import asked
from self_hosted.assemblyline.api.sources import Source, handed_in
from self_hosted.assemblyline.api.tagging import LOOKS, own_tag, read_back, tagged, tagged_submission
from self_hosted.core.errors import ProductError, QuotaInUse
from self_hosted.core.flow import Flow
from self_hosted.core.lost_answers import looked_for

QUOTA = re.compile(r"concurrent submission quota of (\d+)")


def submit(source: Source, options: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Submit something: its submission's document, as it is at the beginning. Each call makes a new submission, once.

    It gets a tag of its own among the metadata, unless it has one, by which it is found when the answer is lost.

    ``POST /api/v4/submit/``

    :param source: a file, or exactly one of {"url": ...}, {"plaintext": ...}, {"base64": ...} and, for a file that the
        server has already, {"sha256": ...}, {"sha1": ...}, {"md5": ...}, {"ssdeep": ...}, {"tlsh": ...}
    :param options: name, metadata, params, submission_profile; each may be absent
    :raises ValueError: when the source is none
    :raises NotFound: when the server has no file with this hash
    """
    tag = own_tag(options)
    document, _ = yield from read_back(partial(_sent, source, tagged(options, tag)), partial(tagged_submission, tag))
    return document


def _sent(source: Source, options: Mapping[str, Any], *, in_turn: bool = False) -> Flow[dict[str, Any]]:
    return asked(handed_in("submit", source, options, in_turn=in_turn))


def submit_in_turn(source: Source, options: Mapping[str, Any], tag: str) -> Flow[dict[str, Any]]:
    """Submit one of many under a tag that nothing was submitted under before: {sid, doubtful}, as `submit_once`.

    Nothing is checked before: see `check_options` and `size_limit`, once for all of them.

    :param source: as for `submit`
    :param options: as for `submit`
    :param tag: what tells this piece of work from all others
    :raises QuotaInUse: at once, when as many submissions of the user run as may
    """
    sent = partial(_sent, source, tagged(options, tag), in_turn=True)
    found, doubtful = yield from read_back(sent, partial(tagged_submission, tag))
    return {"sid": found["sid"], "doubtful": doubtful}


def quota_told(error: ProductError) -> int | None:
    """How many submissions of a user may run at once, if that is what an error is about.

    :param error: such as "You've exceeded your maximum concurrent submission quota of 5"
    """
    found = QUOTA.search(error.words)
    return int(found[1]) if found else None


def submit_once(
    source: Source, options: Mapping[str, Any], tag: str, patience: float = 0, *, interrupted: bool = False
) -> Flow[dict[str, Any]]:
    """Submit something, unless it was submitted under this tag before: {sid, doubtful}.

    Size, options, params and profile are checked first, since the server finds the first out only after the upload,
    and ignores unknown ones of the others. ``doubtful`` says that an answer was lost, now or in an earlier try, so that
    another submission with this tag may come to light: `end_duplicates` ends it.

    :param source: as for `submit`
    :param options: as for `submit`
    :param tag: what tells this piece of work from all others
    :param patience: seconds to wait while as many submissions of the user run as may at once, after the connection's
        own retries; 0 = no longer
    :param interrupted: whether an earlier submit under this tag may be under way still, its client being gone: it is
        then looked for as after a lost answer
    :raises ValueError: when the source is none or larger than the server takes, or it has no such options or params
    :raises NotFound: when the server has no file with this hash
    :raises QuotaInUse: when no place became free
    """
    found, doubtful = (yield from looked_for(partial(tagged_submission, tag), LOOKS if interrupted else ())), True
    if found is None:
        check_options(options)
        yield from check_upload(source, options)
        submitted = partial(_submitted, source, tagged(options, tag), patience)
        found, doubtful = yield from read_back(submitted, partial(tagged_submission, tag))
    return {"sid": found["sid"], "doubtful": doubtful or interrupted}


def _submitted(source: Source, options: Mapping[str, Any], patience: float) -> Flow[dict[str, Any]]:
    """Submit as soon as there is a place for one more submission."""
    from self_hosted.core.transport import persistent  # slow, and only who submits needs it

    return (yield from persistent(lambda: _sent(source, options), _is_about_submissions, patience))


def _is_about_submissions(error: ProductError) -> bool:
    # the quota of API calls at once frees up in a moment: the transport's own retries are enough for it
    return isinstance(error, QuotaInUse) and "submission" in error.words
