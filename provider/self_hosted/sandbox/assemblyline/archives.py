"""The archive of the stand-in: what is sent there is marked as archived, at once."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any, ClassVar

from starlette.requests import Request

from self_hosted.sandbox.assemblyline.access import Session
from self_hosted.sandbox.assemblyline.answers import Refusal, is_set, path_of
from self_hosted.sandbox.assemblyline.area import Area, Row
from self_hosted.sandbox.assemblyline.submissions import Submission

FAILED = {"success": False}


class Archives(Area):
    """What is kept is whether there is an archive, and which services must have looked at what goes there."""

    name: ClassVar[str] = "archive"

    @classmethod
    def fresh(cls) -> Any:
        """Switched off, as on a fresh server."""
        return {"enabled": False, "minimum": [], "hook": None}

    def seed(self, data: Any) -> None:
        """Change what is kept.

        :param data: ``enabled``, ``minimum`` (services without which a submission is made anew first) and ``hook``
            (whether the webhook takes what it is given; None for no webhook)
        """
        self.kept.update(data)

    def rows(self) -> Sequence[Row]:
        """The table."""
        return [Row("PUT", "/archive/{sid}/", self.archive, "archive_trigger", True)]

    async def archive(self, request: Request, session: Session) -> Any:
        """Archive a submission, or have more services look at it first."""
        if not self.kept["enabled"]:
            raise Refusal(404, f"Api does not exist ({path_of(request)})")
        found = self.product.submissions.get(request.path_params["sid"])
        if found is None or not found.exists:
            words = f"The submission '{request.path_params['sid']}' was not found in the system"
            raise Refusal(404, words, FAILED)
        metadata = json.loads(await request.body() or b"{}")
        if not set(self.kept["minimum"]) <= set(found.params["services"]["selected"]):
            return self._made_anew(found, session.user)
        if self.kept["hook"] is not None and not is_set(request, "skip_hook"):
            return {"action": "hooked", "success": self.kept["hook"]}
        found.document["archived"] = True
        found.document["metadata"] = {**metadata, **found.document["metadata"]}
        if is_set(request, "delete_after"):
            found.document["from_archive"] = True
        return {"action": "archive", "success": True}

    def _made_anew(self, old: Submission, user: str) -> dict[str, Any]:
        name = old.document["files"][0]["name"]
        services = {"selected": sorted({*old.params["services"]["selected"], *self.kept["minimum"]})}
        options = {"metadata": old.document["metadata"], "params": {**old.params, "services": services}}
        new = Submission(name, options, user, copy.deepcopy(old.findings))
        new.started(self.product.delay, self.product.index_lag)
        self.product.submissions[new.sid] = new
        old.document["archived"] = True
        return {"action": "resubmit", "sid": new.sid, "success": True}
