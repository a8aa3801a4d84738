"""Waiting for remote work: one query for many ids, one wait loop, and triggers that need no worker slot."""
