"""Objects in a product as Airflow assets, such as ``assemblyline://host/submission/<sid>``.

https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-definitions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

from self_hosted.core.tasks.lineage import MAX_ASSETS, record_output, set_subject

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.common.compat.sdk import Asset, Context

    from self_hosted.core.connection.hook import SelfHostedHook


def asset_uri(hook: SelfHostedHook, *segments: str) -> str:
    """Return the URI of an object: connection type as the scheme, the product's address, and the object's path.

    :param hook: the product's hook
    :param segments: type and id of the object, such as "submission" and its sid
    """
    address = urlsplit(hook.settings.address.base_url)
    path = "".join(f"/{quote(str(segment), safe='')}" for segment in segments)
    return f"{hook.conn_type}://{address.netloc}{address.path}{path}"


def emit_asset(
    context: Context, hook: SelfHostedHook, uri: str, details: Mapping[str, Any], rows: int | None = None
) -> None:
    """Record an object as the task's output: in the lineage, and in the asset events of its outlets.

    An `AssetAlias` among the outlets becomes an event of this asset. An `Asset` gets the details in its event. A DAG
    can run on these events and read the details in ``triggering_asset_events``.

    :param context: the context of the task
    :param hook: the product's hook
    :param uri: see `asset_uri`
    :param details: content of the event; plain JSON, small
    :param rows: how many rows were written, if they are counted
    """
    set_subject(hook, uri)
    record_output(hook, uri, rows)
    _add_to_aliases(context, {uri: details})
    _add_to_assets(context, uri, details)


def emit_assets(
    context: Context,
    hook: SelfHostedHook,
    assets: Mapping[str, Mapping[str, Any]],
    whole: str,
    summary: Mapping[str, Any],
) -> None:
    """Record many objects as the task's output.

    An `AssetAlias` among the outlets becomes an event of each object. An `Asset` gets the summary in its event.

    :param context: the context of the task
    :param hook: the product's hook
    :param assets: the content of each event, by URI
    :param whole: URI of what they are part of. If they are more than Airflow collects, it takes their place in the
        lineage
    :param summary: of all of them; plain JSON, small
    """
    for uri in assets if len(assets) <= MAX_ASSETS else [whole]:
        record_output(hook, uri)
    _add_to_aliases(context, assets)
    _add_to_assets(context, whole, summary)


def _add_to_aliases(context: Context, assets: Mapping[str, Mapping[str, Any]]) -> None:
    from airflow.providers.common.compat.sdk import Asset, AssetAlias

    for alias in (outlet for outlet in context["task"].outlets if isinstance(outlet, AssetAlias)):
        for uri, details in assets.items():
            context["outlet_events"][alias].add(Asset(uri), extra=dict(details))


def _add_to_assets(context: Context, uri: str, details: Mapping[str, Any]) -> None:
    from airflow.providers.common.compat.sdk import Asset

    for asset in (outlet for outlet in context["task"].outlets if isinstance(outlet, Asset)):
        context["outlet_events"][asset].extra.update({"uri": uri, **details})


def validate_asset_uri(uri: SplitResult) -> SplitResult:
    """Check and return the URI of an asset; Airflow calls this.

    :param uri: as written in the DAG
    :raises ValueError: if host or path is missing
    """
    if not uri.netloc or not uri.path.strip("/"):
        raise ValueError(f"invalid asset URI {uri.geturl()!r}: use {uri.scheme}://<host>/<type>/<id>")
    return uri


def to_openlineage(asset: Asset, lineage_context: Any) -> Dataset:
    """Return an asset as an OpenLineage dataset: the server is the namespace.

    :param asset: an asset with a URI of `asset_uri`
    :param lineage_context: not used
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset

    uri = urlsplit(asset.uri)
    return Dataset(namespace=f"{uri.scheme}://{uri.netloc}", name=uri.path.lstrip("/"))
