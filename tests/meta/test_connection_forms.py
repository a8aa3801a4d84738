"""The connection forms as Airflow's UI reads them: from the hooks on 3.1, from the provider info since 3.2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from airflow import __version__ as airflow_version

from self_hosted.provider_info import FORMS

# a separate process, because Airflow caches the forms and replaces libraries by stubs
READ = """
import json, sys, warnings
warnings.simplefilter("ignore")  # the warnings are Airflow's own
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
shown = {form.connection_type: form.model_dump(mode="json") for form in HookMetaService.hook_meta_data()}
print("shown:" + json.dumps({name: shown.get(name) for name in sys.argv[1:]}))
"""


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """Return the forms of our connection types as the UI receives them."""
    done = subprocess.run(
        [sys.executable, "-c", READ, *(form.conn_type for form in FORMS)],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    return dict(json.loads(done.stdout.rpartition("shown:")[2]))


every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.conn_type)


@every_form
def test_a_type_has_its_name(shown, form):
    assert shown[form.conn_type]["hook_name"] == form.hook_name


@every_form
def test_every_field_has_its_label_help_type_and_default(shown, form):
    fields = shown[form.conn_type]["extra_fields"]
    assert set(fields) == set(form.fields)
    for name, declared in form.fields.items():
        schema = fields[name]["schema"]
        expected = declared["schema"]
        assert (schema.get("title") or fields[name].get("title")) == declared["label"], name
        assert fields[name]["description"] == declared["description"], name
        assert fields[name]["value"] == expected.get("default"), name
        assert schema["type"] == expected["type"], name
        assert schema.get("format") == expected.get("format"), name
        assert schema.get("enum") == expected.get("enum"), name


@every_form
def test_secrets_are_password_fields(shown, form):
    fields = shown[form.conn_type]["extra_fields"]
    secrets = {name for name in fields if name.endswith(("token", "key", "secret_headers")) and name != "client_key"}
    assert {name for name, field in fields.items() if field["schema"].get("format") == "password"} == secrets


@every_form
def test_standard_fields_have_labels_and_examples_and_unused_ones_are_hidden(shown, form):
    standard = {
        "url_schema" if name == "schema" else name: name for name in ("host", "port", "login", "password", "schema")
    }
    for shown_as, name in standard.items():
        field = shown[form.conn_type]["standard_fields"][shown_as] or {}
        assert bool(field.get("hidden")) is (name in form.hidden), name
        assert field.get("title") == form.relabeling.get(name), name
        assert field.get("placeholder") == form.placeholders.get(name), name


@every_form
@pytest.mark.skipif(airflow_version.startswith("3.1."), reason="Airflow 3.1 has no sections")
def test_fields_of_the_transport_have_a_section(shown, form):
    fields = shown[form.conn_type]["extra_fields"]
    assert {name for name, field in fields.items() if field["schema"].get("section") == "Transport"} >= {
        "verify_tls",
        "proxy",
        "read_timeout",
    }
