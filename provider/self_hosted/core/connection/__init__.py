"""From an Airflow connection to a client: the connection form as data, the checked settings, and the base hook."""
