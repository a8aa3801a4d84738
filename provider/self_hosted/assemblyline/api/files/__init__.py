"""Files, their content, and lookups by hash."""
