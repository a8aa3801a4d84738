"""What a DAG does in AtroCore."""

from self_hosted.atrocore.operators.link import AtrocoreLink
from self_hosted.atrocore.operators.sync_products import AtrocoreSyncProductsOperator

__all__ = ["AtrocoreLink", "AtrocoreSyncProductsOperator"]
