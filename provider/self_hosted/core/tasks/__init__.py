"""What a DAG uses: base classes of operators and sensors, job state over retries, files, lineage and retry policy."""
