"""Tests under disruption in a real Airflow: ``python -m chaos``, or ``make chaos``. See docs/chaos.md."""
