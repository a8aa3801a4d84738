"""AtroCore's event triggers: none yet. Waits are in `waits`."""
