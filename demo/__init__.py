"""A real Airflow and the sandbox on this machine, for trying the provider: ``python -m demo``, or ``make demo``."""
