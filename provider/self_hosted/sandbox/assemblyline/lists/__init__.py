"""Entries of the badlist and the safelist."""
