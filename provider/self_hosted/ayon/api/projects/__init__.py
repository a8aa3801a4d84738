"""Projects: their records, their creation, and the provision of a project as a DAG specifies it."""
