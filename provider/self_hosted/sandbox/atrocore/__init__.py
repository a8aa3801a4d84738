"""A fake AtroCore server of any core version, which therefore speaks any of the three dialects.

server.py         the fake server: routes, seeding, tables
middleware.py     version check, authentication and error responses around every handler
calls.py          parsed requests
responses.py      responses as AtroCore writes them
errors.py         errors that handlers raise
resource.py       the base class of the resources below
session.py        login
records.py        single records and lists
upserts.py        upserts
feeds.py          import and export feeds, and their jobs
openapi.py        the OpenAPI document
entities.py       the entities of each core version, and their fields
filters.py        the filters of lists
record_store.py   creation, lookup and update of records
validation.py     validation of requests against the OpenAPI document
job_queue.py      background jobs, which progress with the clock
state.py          the data of the server
seeded_faults.py  faults and latencies that tests seed
outage.py         the responses while a component is down
"""

from self_hosted.sandbox.atrocore.server import Atrocore

__all__ = ["Atrocore"]
