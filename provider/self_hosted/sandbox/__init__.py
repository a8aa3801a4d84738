"""Stand-ins of the four products on loopback, for trying DAGs and for tests. Nothing in production imports this.

Each product is a `StandIn` in a file of its own: a table of routes, short handlers, state in one object, and the
quirks of the real thing. `app.py` puts them together, with a control route, faults and a page that shows their state.
"""
