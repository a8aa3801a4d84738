"""The questions that waits for AtroCore ask: none yet; a sync is done when its task is."""
