"""A real Airflow in which everything goes wrong that can: ``python -m chaos``, or ``make chaos``. See docs/chaos.md."""
