"""Add or update signatures, such as the YARA rules of a checkout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from self_hosted.assemblyline.operators.base import AssemblylineOperator
from self_hosted.core.arguments import (
    parse_bool,
    parse_choice,
    parse_int,
    parse_object_list,
    parse_text,
    require_one_of,
)
from self_hosted.core.http.logs import get_logger
from self_hosted.core.imports import lazy_import
from self_hosted.core.tasks.assets import asset_uri, emit_asset
from self_hosted.core.tasks.operator import publish_link

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from self_hosted.assemblyline.api import server
    from self_hosted.assemblyline.api.signatures import additions, rows, signatures, statuses
    from self_hosted.assemblyline.operators import yara_files
else:
    additions = lazy_import("self_hosted.assemblyline.api.signatures.additions")
    rows = lazy_import("self_hosted.assemblyline.api.signatures.rows")
    server = lazy_import("self_hosted.assemblyline.api.server")
    statuses = lazy_import("self_hosted.assemblyline.api.signatures.statuses")
    signatures = lazy_import("self_hosted.assemblyline.api.signatures.signatures")
    yara_files = lazy_import("self_hosted.assemblyline.operators.yara_files")

log = get_logger(__name__)

MAX_NAMED_IDS = 100  # in a result


class UpdatedSignatures(TypedDict):
    """The result of updating signatures.

    :param source: name of their source
    :param added: how many are new
    :param updated: how many have a new rule, revision or classification
    :param unchanged: how many are equal
    :param skipped: ids that were left out, because their name belongs to another id of the source; at most 100
    :param invalid_files: why files were skipped, at most 100
    :param url: page that lists the signatures of the source
    """

    source: str
    added: int
    updated: int
    unchanged: int
    skipped: list[str]
    invalid_files: list[str]
    url: str


class AssemblylineUpdateSignaturesOperator(AssemblylineOperator):
    """Adds signatures, and updates the rules of existing ones; ``PUT /api/v4/signature/add_update_many/``.

    Equal signatures are not sent, so that a retry or another run changes nothing more. An existing signature keeps its
    status: analysts disable noisy ones. Signatures that are missing in the files stay as they are.

    YARA files need the extra ``yara`` (plyara). All files are read before anything is sent.

    :param source: name of the source that the signatures belong to; letters, digits, "_", "-" and "."
    :param files: paths or URIs of YARA files: a list, its text, or one of them
    :param folder: a folder of YARA files, such as a checkout; exactly one of files, folder and signatures
    :param signatures: a list of ``{"name", "data", "signature_id", "revision", "classification", "status"}``: name and
        data, the rule itself, are required
    :param pattern: glob pattern of the file names in ``folder``; default: ``*.yar``
    :param recursive: whether to search the folders below, too; default: True
    :param signature_type: such as "sigma", for ``signatures``: the service's name in lower case; default: "yara"
    :param status: of a new signature whose rule has none in its ``meta``: DEPLOYED (default), NOISY, DISABLED, STAGING
        or TESTING
    :param skip_invalid_files: whether files that cannot be read as YARA are skipped, and reported; default: False, they
        fail the task before anything is sent
    :param fail_on_empty: whether no signatures at all fail the task; default: False
    :param max_items: how many files or signatures are allowed; default: 10,000
    :param assemblyline_conn_id: the Airflow connection
    :return: `UpdatedSignatures`
    :raises AirflowFailException: for invalid arguments, invalid files, and two rules with one name
    """

    template_fields: Sequence[str] = (
        *AssemblylineOperator.template_fields,
        "source",
        "files",
        "folder",
        "signatures",
        "pattern",
        "recursive",
        "signature_type",
        "status",
        "skip_invalid_files",
        "fail_on_empty",
        "max_items",
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {"files": "json", "signatures": "json"}

    def __init__(
        self,
        *,
        source: str,
        files: Sequence[str] | str | None = None,
        folder: str | None = None,
        signatures: Sequence[Mapping[str, Any]] | str | None = None,
        pattern: str = "*.yar",
        recursive: bool | str = True,
        signature_type: str = "yara",
        status: str = "DEPLOYED",
        skip_invalid_files: bool | str = False,
        fail_on_empty: bool | str = False,
        max_items: int | str = 10_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source, self.files, self.folder, self.signatures = source, files, folder, signatures
        self.pattern, self.recursive, self.signature_type, self.status = pattern, recursive, signature_type, status
        self.skip_invalid_files, self.fail_on_empty, self.max_items = skip_invalid_files, fail_on_empty, max_items

    def validate(self) -> None:
        """Check the arguments.

        :raises ValueError: naming the argument
        """
        kind, signature_type = self._kind(), self._signature_type
        if kind != "signatures" and signature_type != "yara":
            raise ValueError(f"{kind}: only YARA files can be read; give signatures of the type {signature_type}")
        parse_choice("status", self.status, statuses.STATUSES)
        parse_text("pattern", self.pattern)
        self.uri("folder")
        for name in ("recursive", "skip_invalid_files", "fail_on_empty"):
            parse_bool(name, getattr(self, name))
        parse_int("max_items", self.max_items)
        given = parse_object_list("signatures", self.signatures) if kind == "signatures" else []
        rows.parse_many(self._source, signature_type, given, self.status)

    def submit(self, context: Context) -> UpdatedSignatures:
        """Add or update the signatures that differ.

        :param context: the context of the task
        """
        url = signatures.build_list_url(self.base_url, f'source:"{self._source}"')
        publish_link(context, url)
        invalid: dict[str, str] = {}
        found = self._read(invalid)
        if not found and parse_bool("fail_on_empty", self.fail_on_empty):
            raise ValueError(f"{self._kind()}: there are no signatures")
        outcome = self.hook.run(additions.add_many(self._source, self._signature_type, found, self.status))
        for signature_id in outcome["skipped"][:MAX_NAMED_IDS]:
            log.warning("%s was skipped: another signature of the source has its name", signature_id)
        result = UpdatedSignatures(
            source=self._source,
            added=len(outcome["added"]),
            updated=len(outcome["updated"]),
            unchanged=len(outcome["unchanged"]),
            skipped=outcome["skipped"][:MAX_NAMED_IDS],
            invalid_files=[f"{name}: {reason}" for name, reason in invalid.items()][:MAX_NAMED_IDS],
            url=url,
        )
        uri = asset_uri(self.hook, "signature", self._signature_type, self._source)
        emit_asset(context, self.hook, uri, result, result["added"] + result["updated"])
        return result

    @property
    def _source(self) -> str:
        return parse_text("source", self.source)

    @property
    def _signature_type(self) -> str:
        return parse_text("signature_type", self.signature_type)

    def _kind(self) -> str:
        given = {"files": self.files, "folder": self.folder, "signatures": self.signatures}
        return require_one_of(given)

    def _read(self, invalid: dict[str, str]) -> list[dict[str, Any]]:
        max_items = parse_int("max_items", self.max_items)
        if self._kind() == "signatures":
            found = parse_object_list("signatures", self.signatures)
        else:
            found = list(self._read_files(max_items, invalid))
            if not self.hook.run(server.get_classification_definition()).get("enforce"):
                # the server would store the lowest one; rules of others name theirs in their ``meta``
                found = [{name: row[name] for name in row if name != "classification"} for row in found]
        if len(found) > max_items:
            raise ValueError(f"{self._kind()}: there are {len(found)} signatures, more than max_items ({max_items})")
        return found

    def _read_files(self, max_items: int, invalid: dict[str, str]) -> Iterator[dict[str, Any]]:
        is_recursive = parse_bool("recursive", self.recursive)
        found = yara_files.find_files(self.files, self.uri("folder"), self.pattern, max_items, recursive=is_recursive)
        is_lenient = parse_bool("skip_invalid_files", self.skip_invalid_files)
        for name, row in yara_files.read_rules(self.hook, found, invalid if is_lenient else None):
            log.debug("%s has the rule %s", name, row["name"])
            yield row
        for name, reason in invalid.items():
            log.warning("File %s was skipped: %s", name, reason)
