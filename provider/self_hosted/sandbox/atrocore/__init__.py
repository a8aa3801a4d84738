"""AtroCore's stand-in: one server that can be any core version, and so speaks any of the three dialects.

state.py     what the server remembers
entities.py  the entities, their fields and how values are stored
session.py   signing in
records.py   single records and upsert
where.py     the filters of lists
openapi.py   the description at /openapi.json
jobs.py      background jobs, which move with time
feeds.py     import and export feeds, and their jobs
"""

from self_hosted.sandbox.atrocore.product import Atrocore

__all__ = ["Atrocore"]
