"""The stand-in of Assemblyline 4: submits, "analyses" by what is written in the file, searches, and refuses alike."""

from self_hosted.sandbox.assemblyline.product import Assemblyline

__all__ = ["Assemblyline"]
