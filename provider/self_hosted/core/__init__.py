"""What all products share: it knows HTTP and Airflow, and no product."""
