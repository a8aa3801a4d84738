"""AtroCore's REST API as flows: one module per resource. Paths are those of core 2.3; `dialects` translates them."""
