"""What tasks make in products, as Airflow's assets: ``assemblyline://host/submission/<sid>`` and the like.

https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-definitions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from self_hosted.core.flow import url_path

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.common.compat.sdk import Asset, Context

    from self_hosted.core.hook import ProductHook


def asset_uri(hook: ProductHook, *segments: str) -> str:
    """The URI of a thing in a product: its connection type as the scheme, then the product's address, then the thing.

    :param hook: the product's hook
    :param segments: kind and id of the thing, such as "submission" and its sid
    """
    address = urlsplit(hook.settings.address.base_url)
    return f"{hook.conn_type}://{address.netloc}{address.path}{url_path(*segments)}"


def announce(context: Context, hook: ProductHook, uri: str, facts: Mapping[str, Any]) -> None:
    """Tell Airflow what a task made: its lineage, and the events of its outlets.

    An `AssetAlias` among the outlets becomes an event of this very asset, an `Asset` gets the facts into its event; so
    a DAG may run for each of them, and read what it is about in ``triggering_asset_events``.

    :param context: the context of the task
    :param hook: who made it
    :param uri: see `asset_uri`
    :param facts: what is to be told of it; plain JSON, small
    """
    from airflow.providers.common.compat.sdk import Asset, AssetAlias, get_hook_lineage_collector

    get_hook_lineage_collector().add_output_asset(context=hook, uri=uri)
    for outlet in context["task"].outlets:
        if isinstance(outlet, AssetAlias):
            context["outlet_events"][outlet].add(Asset(uri), extra=dict(facts))
        elif isinstance(outlet, Asset):
            context["outlet_events"][outlet].extra.update({"uri": uri, **facts})


def sanitized(uri: SplitResult) -> SplitResult:
    """Check the URI of an asset, for Airflow.

    :param uri: as a DAG author wrote it
    :raises ValueError: when it names no server, or nothing on it
    """
    if not uri.netloc or not uri.path.strip("/"):
        raise ValueError(f"an asset of this kind is named {uri.scheme}://<host of the server>/<kind>/<id>")
    return uri


def as_openlineage(asset: Asset, lineage_context: Any) -> Dataset:
    """An asset as OpenLineage names it: the server is the namespace.

    :param asset: one whose URI `asset_uri` made
    :param lineage_context: Airflow's; not needed
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset

    uri = urlsplit(asset.uri)
    return Dataset(namespace=f"{uri.scheme}://{uri.netloc}", name=uri.path.lstrip("/"))
