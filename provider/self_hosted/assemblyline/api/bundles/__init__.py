"""Bundles and the CaRT format that they have."""
