"""Desired versus actual state: one engine that plans, applies and reports changes of the records of any product."""
