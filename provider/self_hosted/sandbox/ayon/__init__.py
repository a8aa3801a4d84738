"""The stand-in of AYON: users, projects, anatomies and events, with the answers the real server would give."""

from self_hosted.sandbox.ayon.product import Ayon

__all__ = ["Ayon"]
