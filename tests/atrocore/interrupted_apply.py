"""Applies a plan as a task of another process, which tests kill."""

from __future__ import annotations

import sys

from self_hosted.atrocore.operators import AtrocoreSyncProductsApplyOperator
from tests.context import context

if __name__ == "__main__":
    operator = AtrocoreSyncProductsApplyOperator(task_id="apply", plan_uri=sys.argv[1], batch_size=10)
    operator.execute(context(operator))
