"""Endpoints of Rudder as flows, one module per resource. No I/O, no Airflow.

Paths are without the prefix and the version of the API (``/rules``); `TokenAuth` in `hook.py` adds both.
"""
