"""Submissions and ingests, from the upload to reports, results and verdicts."""
