"""A real Airflow and the sandbox on this machine, to try out the provider: ``python -m demo``, or ``make demo``."""
