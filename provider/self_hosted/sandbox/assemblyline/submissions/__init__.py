"""Submissions: their documents, their progress, the ingester, and the store of all of them."""
