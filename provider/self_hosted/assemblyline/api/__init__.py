"""The REST API of Assemblyline 4 as flows, one module or folder per resource; no I/O and no Airflow."""
