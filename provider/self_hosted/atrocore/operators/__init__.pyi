from .base import AtrocoreLink as AtrocoreLink, AtrocoreOperator as AtrocoreOperator
from .sync_products import AtrocoreSyncProductsOperator as AtrocoreSyncProductsOperator
