"""Alerts: their documents, and the store of all of them."""
