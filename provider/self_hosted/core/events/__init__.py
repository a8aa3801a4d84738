"""Event-driven scheduling: feeds of new items in a product, delivered as asset events exactly once per DAG run."""
