"""The ids of new records."""

from __future__ import annotations

from self_hosted.atrocore.api.record_ids import deterministic_id


def test_a_deterministic_id_depends_on_entity_and_key_only_and_fits_old_databases():
    ids = {deterministic_id(entity, key) for entity in ("Product", "Brand") for key in ("A", "B")}
    assert len(ids) == 4
    # a release with other ids would create every record again
    assert deterministic_id("Product", "A") == "ee9c1c396945591f8058738a"
    assert all(len(record_id) == 24 and set(record_id) <= set("0123456789abcdef") for record_id in ids)
