"""The resources of the API, a module per resource. `discovery.py` finds them; a new module needs no registration."""
