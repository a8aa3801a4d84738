"""AtroCore as a target of the sync engine in `core/sync`: any entity, in all three dialects.

`target` is what the engine calls; `schema` describes the declared fields, `reading` and `writing` transfer records.
"""
