"""Readers of sources: each opens one format, and yields its rows one by one, as a `table.Table`."""
