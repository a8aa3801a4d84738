"""What a DAG waits for in AYON: nothing yet. Waits for events and statuses will live here."""
