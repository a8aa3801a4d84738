"""Signatures: the detection rules of services, and the sources from which they are fetched."""
