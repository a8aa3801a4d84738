"""Fake servers of the four products on loopback, for tests and for trying DAGs. Production code never imports them.

Each product has a package with a `FakeServer`: handlers with decorated routes, the state in public attributes, and the
behaviour of the real server, defects included. `app.py` serves them together with the control routes and the page.
"""
