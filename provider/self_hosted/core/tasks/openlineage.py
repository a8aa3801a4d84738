"""What OpenLineage learns from a task: its datasets, how many rows it wrote, and the object in the product.

OpenLineage's provider calls a method of the task. If that returns datasets, the provider looks no further: neither into
Airflow's lineage collector, nor at the task's inlets and outlets. So they are included here.

The packages are no dependency. They are imported when OpenLineage's provider calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from self_hosted.core.tasks.lineage import save_lineage

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset, RunFacet
    from airflow.providers.openlineage.extractors import OperatorLineage

    from self_hosted.core.connection.hook import SelfHostedHook


class OpenLineageMixin:
    """Describes an operator or sensor to OpenLineage's provider."""

    if TYPE_CHECKING:

        @property
        def hook(self) -> SelfHostedHook:
            """The task's hook."""

        inlets: list[Any]
        outlets: list[Any]

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:
        """Return what the task has read and written. OpenLineage's provider calls this, also if the task failed.

        :param task_instance: not used
        """
        from airflow.providers.openlineage.extractors import OperatorLineage

        saved = save_lineage(self.hook) or {"inputs": [], "outputs": {}, "subject": None}
        return OperatorLineage(
            inputs=_to_datasets([*_to_assets(saved["inputs"]), *self.inlets]),
            outputs=_to_datasets([*_to_assets(saved["outputs"]), *self.outlets], saved["outputs"]),
            run_facets=_build_run_facets(saved["subject"]),
        )


def _to_assets(uris: Iterable[str]) -> list[Any]:
    from airflow.providers.common.compat.sdk import Asset

    return [Asset(uri) for uri in uris]


def _to_datasets(found: Iterable[Any], rows: Mapping[str, int | None] | None = None) -> list[Dataset]:
    """Return each dataset once; assets of a scheme without a converter are left out.

    :param found: assets, or what else a task may have as inlets and outlets
    :param rows: how many rows were written, by URI
    """
    from airflow.providers.openlineage.extractors import ExtractorManager

    datasets: dict[tuple[str, str], Dataset] = {}
    for one in found:
        dataset = ExtractorManager.convert_to_ol_dataset(one)
        if dataset is not None:
            count = (rows or {}).get(getattr(one, "uri", ""))
            datasets.setdefault((dataset.namespace, dataset.name), _count_rows(dataset, count))
    return list(datasets.values())


def _count_rows(dataset: Dataset, rows: int | None) -> Dataset:
    from airflow.providers.common.compat.openlineage.facet import OutputDataset, OutputStatisticsOutputDatasetFacet

    if rows is None:
        return dataset
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=rows)
    return OutputDataset(
        namespace=dataset.namespace,
        name=dataset.name,
        facets=dataset.facets,
        outputFacets={"outputStatistics": statistics},
    )


def _build_run_facets(subject: str | None) -> dict[str, RunFacet]:
    """Return the facet that identifies the object in the product, as other providers do for their jobs."""
    from airflow.providers.common.compat.openlineage.facet import ExternalQueryRunFacet

    if subject is None:
        return {}
    uri = urlsplit(subject)
    external_id = unquote(uri.path.rpartition("/")[2])
    return {"externalQuery": ExternalQueryRunFacet(external_id, f"{uri.scheme}://{uri.netloc}")}
