"""Alerts: single ones, queries, updates by query, and the feed of new alerts."""
