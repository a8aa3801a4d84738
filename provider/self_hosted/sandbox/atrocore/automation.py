"""Scheduled jobs and actions."""

from __future__ import annotations

import re

from starlette.responses import Response

from self_hosted.sandbox.atrocore.calls import Call
from self_hosted.sandbox.atrocore.errors import ApiError
from self_hosted.sandbox.atrocore.hooks import HOOKS, Hooks, Values
from self_hosted.sandbox.atrocore.job_queue import start_job
from self_hosted.sandbox.atrocore.record_store import get_record
from self_hosted.sandbox.atrocore.resource import Resource
from self_hosted.sandbox.atrocore.responses import build_response
from self_hosted.sandbox.atrocore.state import State
from self_hosted.sandbox.atrocore.versions import FEEDS_SINCE, QUEUE_SINCE, V2_3
from self_hosted.sandbox.routing import route

SCHEDULE = re.compile(r"(\S+ ){4}\S+")


class Automation(Resource):
    """Runs of scheduled jobs and actions."""

    @route("POST", "/api/ScheduledJob/{id}/executeNow", since=V2_3)
    @route("POST", "/api/v1/ScheduledJob/action/executeNow", until=V2_3)
    def run_job(self, call: Call) -> Response:
        """Add a pending job."""
        scheduled = get_record(self.state, "ScheduledJob", str(call.id or (call.body or {}).get("id")))
        start_job(self.state, "Job", {"name": scheduled["name"]}, {})
        return build_response(True)

    @route("POST", "/api/v1/Action/action/executeNow", since=FEEDS_SINCE, until=V2_3)
    def run_old_action(self, call: Call) -> Response:
        """Run an action. The sandbox has no records to run it on."""
        action = get_record(self.state, "Action", str((call.body or {}).get("actionId")))
        return build_response({"inBackground": action["inBackground"], "success": False, "message": "Something wrong"})

    @route("POST", "/api/Action/{id}/{link}", since=V2_3)
    def run_action(self, call: Call) -> Response:
        """Run an action. The sandbox has no records to run it on."""
        if self.state.find_record("Action", call.id) is None:
            raise ApiError(500, hidden=True)
        return build_response({"success": False, "message": "Something wrong"})

    @route("POST", "/api/v1/Job", until=QUEUE_SINCE)
    def reject_job(self, call: Call) -> Response:
        """Reject a job that a user adds."""
        raise ApiError(403)


class ScheduledJobHooks(Hooks):
    """The rules of scheduled jobs."""

    def before_create(self, state: State, values: Values) -> Values:
        """Check the schedule.

        :raises ApiError: if it is no crontab
        """
        if values.get("scheduling") and not SCHEDULE.fullmatch(values["scheduling"]):
            raise ApiError(500, "Wrong crontab configuration")
        return values


HOOKS["ScheduledJob"] = ScheduledJobHooks()
