"""What a DAG waits for in AtroCore: nothing yet; a sync is done when its task is."""
