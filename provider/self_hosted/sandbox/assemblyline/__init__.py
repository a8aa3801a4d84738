"""A fake Assemblyline 4 server. Markers in submitted files determine their results, see `analysis/analyzer.py`.

server.py           the fake server: routes, seeding, tables
resources/          the handlers, a module per resource
resource.py         the base class of the resources
discovery.py        finds the resources
ports.py            the part of the server that resources and middleware use
middleware.py       authentication, authorization, quotas and error responses around every handler
authentication.py   API keys, passwords and sessions
roles.py            roles of users and API keys
quotas.py           quotas of API calls and submissions
configuration.py    the configuration of the server
service_data.py     the service that analyzes files
submissions/        submissions, the ingester, and the store of all of them
analysis/           the simulated analysis and its results
search/             searches with Lucene queries
alerts/             alerts
lists/              entries of the badlist and the safelist
cart.py             the CaRT format
dates.py            dates in the syntax of Elasticsearch
request_parsing.py  reading of requests
responses.py        the envelope and HTML pages
errors.py           errors that handlers raise
"""

from self_hosted.sandbox.assemblyline.server import Assemblyline

__all__ = ["Assemblyline"]
