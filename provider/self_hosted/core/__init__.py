"""The shared core in layers: imports and arguments, http, connection, wait, events, tasks; each imports lower ones."""
