"""A fake AYON server with users, projects, anatomies, entities, events and background operations.

server.py            the fake server: routes, seeding, tables
middleware.py        authentication and error responses around every handler
authentication.py    credentials, sessions, acting as another user
errors.py            errors that handlers raise, with their responses
resource.py          the base class of the resources below
studio.py            server information, attributes, access groups
users.py             login, logout, users
presets.py           anatomy presets
projects.py          projects: list, read, update, delete
project_creation.py  projects: create
project_users.py     access to projects
anatomies.py         anatomies of projects
entities.py          folders, tasks, products, versions, representations, workfiles
entity_store.py      entities with the constraints of the database
operations.py        background operations
reviewables.py       reviewables of versions
events.py            events
graphql.py           GraphQL queries
graphql_schema.py    the GraphQL schema
validation.py        validation of request bodies
defaults.py          attributes and anatomy of a fresh server
state.py             the data of the server
seeding.py           data that tests and demos add
tables.py            rows for the page of the sandbox
"""

from self_hosted.sandbox.ayon.server import API_KEY, PASSWORD, Ayon

__all__ = ["API_KEY", "PASSWORD", "Ayon"]
