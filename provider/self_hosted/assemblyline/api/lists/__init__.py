"""Badlist and safelist."""
