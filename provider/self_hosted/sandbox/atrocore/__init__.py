"""A fake AtroCore server of any core version, which therefore speaks any of the three dialects.

server.py         the fake server: routes, seeding, tables
seeding.py        what tests and demos may seed
middleware.py     version check, authentication and error responses around every handler
unknown_routes.py responses to unknown routes; encoded_route.py: slashes in ids
calls.py          parsed requests
responses.py      responses as AtroCore writes them
errors.py         errors that handlers raise
resource.py       the base class of the resources below
session.py        login and logout; authentication.py: passwords and tokens
access.py         what the roles of a user allow; users.py: passwords, and the first records of a server
descriptions.py   metadata, settings, labels
records.py        single records and lists
upserts.py        upserts
mass_actions.py   mass changes
relations.py      relations between records, held by relation_store.py
hierarchy.py      parents of categories, and trees
attributes.py     attribute values since core 2.0; before, they are records (attribute_values.py)
files.py          uploads and downloads; file_store.py, file_contents.py: the records of files and their contents
products.py       rules of products and brands; units.py: of units
feeds.py          runs of import and export feeds, and their jobs
feed_data.py      data of feeds; import_files.py, export_files.py: what their jobs do
jobs.py           the state of background jobs; automation.py: scheduled jobs and actions
openapi.py        the OpenAPI document
definitions/      the entities of all core versions as data
schema.py         the entities of one server: by core version (versions.py), languages, and fields that an admin added
fields.py         fields as the metadata describes them, and the attributes of records
lists.py          lists; pages.py: their pages; conditions.py, filters.py: their filters
record_store.py   creation, update and deletion of records; lookups.py, record_index.py: lookup
save_rules.py     the rules that a record must meet; hooks.py: those of single entities
values.py         what PHP and the database make of values
rendering.py      records as responses contain them
validation.py     validation of requests against the OpenAPI document
job_queue.py      background jobs, which progress with the clock
state.py          the data of the server
seeded_faults.py  faults and latencies that tests seed
outage.py         the responses while a component is down
"""

from self_hosted.sandbox.atrocore.server import Atrocore

__all__ = ["Atrocore"]
