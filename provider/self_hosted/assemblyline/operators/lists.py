"""Badlist and safelist: putting things on them, switching entries on and off, taking things off.

One class for both lists, with an argument that names the list: they differ in nothing that these do but attribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from self_hosted.assemblyline.operators.link import AssemblylineLink
from self_hosted.core.arguments import checked_flag, checked_number, checked_texts
from self_hosted.core.lazy import when_used
from self_hosted.core.operator import ProductOperator, publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline import api
else:
    api = when_used("self_hosted.assemblyline.api")

SHOWN = 100  # ids in a result at most, so that it stays small


class _OnList(ProductOperator):
    """What all of them have: a list, and the files and tags that it is about."""

    hook_class: ClassVar[str] = "self_hosted.assemblyline.hook.AssemblylineHook"
    operator_extra_links = (AssemblylineLink(),)
    list_name: str
    hashes: Any
    tags: Any

    def check(self) -> None:
        """Validate the list, the files and the tags."""
        api.check_list("list_name", self.list_name)
        if not self._things():
            raise ValueError("give hashes or tags, one at least")

    def _things(self) -> list[dict[str, Any]]:
        """Entries for all files and tags, without their sources."""
        if self.tags is not None and not isinstance(self.tags, Mapping):
            raise ValueError(f'tags must be like {{"network.static.domain": ["evil.example"]}}, not {self.tags!r}')
        tags = [(kind, one) for kind, some in (self.tags or {}).items() for one in checked_texts(f"tags {kind}", some)]
        files = [api.file_entry(one) for one in checked_texts("hashes", self.hashes)]
        return [*files, *(api.tag_entry(kind, value) for kind, value in tags)]

    def _ids(self) -> list[str]:
        return [api.entry_id(one) for one in self._things()]

    def _page(self, context: Context) -> str:
        ids = self._ids()
        url = api.list_page(self.hook.settings.address.base_url, self.list_name, ids[0] if len(ids) == 1 else "")
        publish_link(context, url)
        return url


class AssemblylineAddToListOperator(_OnList):
    """Puts files and tags on the badlist or the safelist; ``PUT /api/v4/badlist/add_update_many/``.

    What is there already with the same source and reason is left alone, so that a repeated task adds nothing twice;
    other sources of an entry stay. What somebody switched off stays off, and is counted.

    :param list_name: "badlist" or "safelist"
    :param reason: why; a text or a list of texts
    :param hashes: of files: a sha256, sha1, md5 or (badlist only) TLSH, or a list of them
    :param tags: types and values, such as ``{"network.static.domain": ["evil.example"]}``
    :param source: the name of the external source that says so; by default it is the user
    :param classification: of what the source says; by default the lowest
    :param attribution: for the badlist: ``{"family": ["EMOTET"], "actor": [...], ...}``
    :param dtl: days until the entries leave the list by themselves, counted anew each time they are added; by default
        they stay, also those that would have left
    :param assemblyline_conn_id: the connection

    The result is ``{list_name, added, updated, unchanged, disabled, url}``: numbers of entries, and in ``disabled`` the
    ids of those that somebody switched off, 100 at most.

    :raises AirflowFailException: for wrong arguments, types of tags that the server does not know, and a source whose
        name is taken by a user
    """

    template_fields: Sequence[str] = (
        "list_name",
        "reason",
        "hashes",
        "tags",
        "source",
        "classification",
        "attribution",
        "dtl",
        "assemblyline_conn_id",
    )

    def __init__(
        self,
        *,
        list_name: str,
        reason: Sequence[str] | str,
        hashes: Sequence[str] | str | None = None,
        tags: Mapping[str, Sequence[str] | str] | None = None,
        source: str | None = None,
        classification: str | None = None,
        attribution: Mapping[str, Sequence[str] | str] | None = None,
        dtl: int | str | None = None,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.list_name, self.reason, self.hashes, self.tags = list_name, reason, hashes, tags
        self.source, self.classification, self.attribution, self.dtl = source, classification, attribution, dtl
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        super().check()
        if not checked_texts("reason", self.reason):
            raise ValueError("reason is missing: say why these are on the list")
        if self.attribution and not isinstance(self.attribution, Mapping):
            raise ValueError(f'attribution must be like {{"family": ["EMOTET"]}}, not {self.attribution!r}')
        source = {"name": "-", "type": "user", "reason": ["-"]}
        for entry in self._entries(source):
            api.checked_entry(self.list_name, entry)

    def start(self, context: Context) -> dict[str, Any]:
        """Put on the list what is not there just so."""
        url, reasons = self._page(context), checked_texts("reason", self.reason)
        if self.source:
            source = {"name": self.source, "type": "external", "reason": reasons}
            source |= {"classification": self.classification} if self.classification else {}
        else:
            source = self.hook.run(api.own_source(reasons, self.classification))
        done = self.hook.run(api.add_many_to_list(self.list_name, self._entries(source)))
        if done["disabled"]:
            self.log.warning("%d of them are switched off, and stay so", len(done["disabled"]))
        counts = {name: len(done[name]) for name in ("added", "updated", "unchanged")}
        return {"list_name": self.list_name, **counts, "disabled": done["disabled"][:SHOWN], "url": url}

    def _entries(self, source: Mapping[str, Any]) -> list[dict[str, Any]]:
        more: dict[str, Any] = {"sources": [source]}
        if self.dtl not in {None, ""}:
            more["dtl"] = checked_number("dtl", self.dtl)
        if self.attribution:
            given = {kind: checked_texts(f"attribution {kind}", some) for kind, some in self.attribution.items()}
            more["attribution"] = given
        return [{**thing, **more} for thing in self._things()]


class AssemblylineEnableListEntryOperator(_OnList):
    """Switches entries of the badlist or the safelist on or off; ``PUT /api/v4/badlist/enable/<id>/``.

    What is off stays on the list, with its sources and reasons, and has no effect.

    :param list_name: "badlist" or "safelist"
    :param hashes: of files: a sha256, sha1, md5 or TLSH, or a list of them
    :param tags: types and values, such as ``{"network.static.domain": ["evil.example"]}``
    :param enabled: whether they are to have effect
    :param assemblyline_conn_id: the connection

    The result is ``{list_name, enabled, changed, unchanged, url}``, with numbers of entries.

    :raises AirflowFailException: for wrong arguments, and what is not on the list
    """

    template_fields: Sequence[str] = ("list_name", "hashes", "tags", "enabled", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        list_name: str,
        hashes: Sequence[str] | str | None = None,
        tags: Mapping[str, Sequence[str] | str] | None = None,
        enabled: bool | str = True,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.list_name, self.hashes, self.tags, self.enabled = list_name, hashes, tags, enabled
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        super().check()
        checked_flag("enabled", self.enabled)

    def start(self, context: Context) -> dict[str, Any]:
        """Switch those that are not so."""
        url, enabled = self._page(context), checked_flag("enabled", self.enabled)
        changes = [self.hook.run(api.enable_in_list(self.list_name, id_, enabled)) for id_ in self._ids()]
        counts = {"changed": changes.count(True), "unchanged": changes.count(False)}
        return {"list_name": self.list_name, "enabled": enabled, **counts, "url": url}


class AssemblylineRemoveFromListOperator(_OnList):
    """Takes files and tags off the badlist or the safelist; ``DELETE /api/v4/badlist/<id>/``.

    A user without the role signature_manage takes out his own word only: an entry that has other sources is kept, and
    told.

    :param list_name: "badlist" or "safelist"
    :param hashes: of files: a sha256, sha1, md5 or TLSH, or a list of them
    :param tags: types and values, such as ``{"network.static.domain": ["evil.example"]}``
    :param confirm: must be true, since nobody can bring back sources and reasons
    :param assemblyline_conn_id: the connection

    The result is ``{list_name, removed, absent, kept, url}``: numbers of entries that are gone and that were not there,
    and the ids of those that others keep on the list, 100 at most.

    :raises AirflowFailException: for wrong arguments
    """

    template_fields: Sequence[str] = ("list_name", "hashes", "tags", "confirm", "assemblyline_conn_id")

    def __init__(
        self,
        *,
        list_name: str,
        hashes: Sequence[str] | str | None = None,
        tags: Mapping[str, Sequence[str] | str] | None = None,
        confirm: bool | str = False,
        assemblyline_conn_id: str = "assemblyline_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.list_name, self.hashes, self.tags, self.confirm = list_name, hashes, tags, confirm
        self.assemblyline_conn_id = assemblyline_conn_id

    def check(self) -> None:
        """Validate the arguments."""
        super().check()
        if not checked_flag("confirm", self.confirm):
            raise ValueError("confirm must be true: what is taken off a list loses its sources and reasons for good")

    def start(self, context: Context) -> dict[str, Any]:
        """Take them off."""
        url, ids = self._page(context), self._ids()
        done = {id_: self.hook.run(api.remove_from_list(self.list_name, id_)) for id_ in ids}
        counts = {word: list(done.values()).count(word) for word in ("removed", "absent")}
        kept = [id_ for id_, word in done.items() if word == "kept"]
        return {"list_name": self.list_name, **counts, "kept": kept[:SHOWN], "url": url}
