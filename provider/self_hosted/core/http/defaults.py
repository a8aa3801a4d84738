"""Defaults that connection forms show. Airflow reads the forms at every start, so this file imports nothing."""

TOTAL_TIMEOUT_FACTOR = 5
"""The default of the total timeout, as a multiple of the read timeout."""

DEFAULT_MAX_RESPONSE_MIB = 64
