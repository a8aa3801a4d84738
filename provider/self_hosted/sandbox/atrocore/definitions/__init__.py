"""The entities of all core versions as data. `all_entities.py` lists them; each other module has those of a subject."""
