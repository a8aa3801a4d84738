"""A fake Rudder server with rules, nodes, compliance and the plugin change-validation.

server.py           the fake server: routes, seeding, tables
middleware.py       authentication, authorization and error responses around every handler
versions.py         which API version a request uses
raw_paths.py        addresses that Rudder reads differently from other servers
calls.py            parsed requests and results of handlers
decoding.py         strict decoding of JSON bodies
responses.py        envelopes and HTML pages
errors.py           errors that handlers raise
outage.py           responses while a component is down
resource.py         the base class of the resources below
rules.py            rules as Rudder stores and returns them; rule_fields.py and rule_targets.py decode them
rule_status.py      the status of a rule
rule_categories.py  categories of rules, and the tree of all rules
parameters.py       global parameters
nodes.py            nodes and the runs of their agents; node_search.py finds them
compliance.py       compliance of rules and nodes
change_requests.py  change requests; approval.py knows their steps, changes.py their content
system.py           server information and API accounts
state.py            the data of the server
sample_data.py      the data of a fresh server, with its tokens
seeding.py          data that tests and demos add
tables.py           rows for the page of the sandbox
"""

from self_hosted.sandbox.rudder.sample_data import TOKENS
from self_hosted.sandbox.rudder.server import Rudder

__all__ = ["TOKENS", "Rudder"]
