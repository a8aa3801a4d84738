"""Endpoints of AYON as flows, one module per resource. No I/O, no Airflow."""
