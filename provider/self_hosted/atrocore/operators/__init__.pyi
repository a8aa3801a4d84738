from .base import AtrocoreLink as AtrocoreLink, AtrocoreOperator as AtrocoreOperator
from .sync_products import (
    AtrocoreSyncProductsApplyOperator as AtrocoreSyncProductsApplyOperator,
    AtrocoreSyncProductsOperator as AtrocoreSyncProductsOperator,
    AtrocoreSyncProductsPlanOperator as AtrocoreSyncProductsPlanOperator,
)
from .sync_records import (
    AtrocoreSyncRecordsApplyOperator as AtrocoreSyncRecordsApplyOperator,
    AtrocoreSyncRecordsOperator as AtrocoreSyncRecordsOperator,
    AtrocoreSyncRecordsPlanOperator as AtrocoreSyncRecordsPlanOperator,
)
