"""The access of users to projects."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from self_hosted.sandbox.ayon.errors import ApiError
from self_hosted.sandbox.ayon.projects import PROJECT
from self_hosted.sandbox.ayon.resource import Resource
from self_hosted.sandbox.ayon.state import Record, is_manager
from self_hosted.sandbox.routing import route


class ProjectUsers(Resource):
    """The access groups of each user in a project."""

    @route("GET", f"{PROJECT}/users")
    async def get(self, request: Request, user: Record) -> Response:
        """Return the access groups of all users with access to the project."""
        return self._access(self.get_project(request, user))

    @route("PATCH", f"{PROJECT}/users/{{user}}")
    async def patch(self, request: Request, user: Record) -> Response:
        """Set a user's access groups. Unknown groups are ignored; a user without groups has no access."""
        project, name = self.get_project(request, user), request.path_params["user"]
        if not is_manager(user):
            raise ApiError(403, "You are not allowed to access access")
        if name not in self.state.users:
            raise ApiError(404, f"User {name} not found")
        access: Record = self.state.users[name]["data"]["accessGroups"]
        access.pop(project["name"], None)
        if groups := [group for group in await request.json() if group in self.state.access_groups]:
            access[project["name"]] = groups
        return self._access(project)

    def _access(self, project: Record) -> Response:
        users = self.state.users.items()
        access = {name: user["data"]["accessGroups"].get(project["name"]) for name, user in users}
        return JSONResponse({name: groups for name, groups in access.items() if groups is not None})
