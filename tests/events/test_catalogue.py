"""The catalogue: every event has a schema and an example that fits it, and no audit event is forgotten."""

import ast
import re
from pathlib import Path

import jsonschema_rs
import pytest

from app.applications.case_access import ACTION_EVENT
from app.auth.model import ProposalState
from app.events.catalogue import build_example, json_schema, load_catalogue, parse_catalogue
from app.events.public_event import SOURCES
from app.transparency.log_entry import LogEvent

CATALOGUE = load_catalogue()
APP = Path(__file__).parents[2] / "app"
BUILT = (
    {f"application.{name}" for name in ACTION_EVENT.values()}
    | {f"proposal.{state}" for state in ProposalState if state is not ProposalState.EXPIRED}
    | {event.value for event in LogEvent if event.value.partition(".")[0] in {"key", "credential"}}
    | {f"certificate.{status}" for status in ("revoked", "surrendered", "superseded")}
    | {"organisation.updated", "site.updated"}
)
"""Names that the code puts together."""
RECORDERS = {"record", "_record_event", "record_event", "_record", "_save", "_log"}


def literals_of(tree):
    """Names of audit events in the calls that record them, and in the variables that are passed to them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in RECORDERS:
            inside = [*node.args, *(each.value for each in node.keywords if each.arg == "event")]
        elif isinstance(node, ast.Assign) and "event" in ast.unparse(node.targets[0]).lower():
            inside = [node.value]
        else:
            continue
        for each in inside:
            for leaf in ast.walk(each):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    yield leaf.value


def audit_names():
    found = set(BUILT)
    for path in APP.glob("**/*.py"):
        if "record" in (text := path.read_text()):
            found |= {each for each in literals_of(ast.parse(text)) if re.fullmatch(r"[a-z_]+\.[a-z_]+", each)}
    return found


def test_every_audit_event_is_mapped_or_internal_for_a_reason():
    assert audit_names() - SOURCES.keys() - CATALOGUE.internal.keys() == set()
    assert not SOURCES.keys() & CATALOGUE.internal.keys()
    assert all(CATALOGUE.internal.values())


def test_no_mapped_or_internal_name_is_invented():
    from_reminders = {"application.answer_due", "certificate.expiring", "certificate.expired"}
    from_reminders |= {"evidence.expiring", "evidence.expired"}
    planned = {"certificate.superseded"}  # a status that there is, which nothing sets yet
    planned |= {"certificate.reissued"}  # recorded by the name of its log entry
    assert (SOURCES.keys() | CATALOGUE.internal.keys()) - audit_names() - from_reminders - planned == set()


def test_every_type_has_a_source_or_is_planned():
    sourced = {source.type for source in SOURCES.values()}
    planned = {name for name, each in CATALOGUE.types.items() if each.is_planned}
    assert sourced | planned == CATALOGUE.types.keys()
    assert not sourced & planned


@pytest.mark.parametrize("name", CATALOGUE.types)
def test_an_example_fits_its_schema_and_no_other(name):
    event = CATALOGUE.types[name]
    schema, example = json_schema(event), build_example(event)
    jsonschema_rs.Draft202012Validator(schema).validate(example)
    for wrong in (
        example | {"person": "x"},
        example | {"type": "x.y"},
        example | {"data": example["data"] | {"text": "x"}},
        example | {"data": example["data"] | {"status": "x"}},
        {key: value for key, value in example.items() if key != "log_index"},
    ):
        assert not jsonschema_rs.Draft202012Validator(schema).is_valid(wrong), wrong


def test_what_is_fixed_of_a_source_is_in_the_catalogue():
    for source in SOURCES.values():
        event = CATALOGUE.types[source.type]
        assert source.kind is None or source.kind in event.kinds
        assert source.status is None or source.status in event.statuses
        assert (source.reason_from is None) == (not event.reasons)


def test_a_catalogue_that_names_an_unknown_event_is_refused():
    with pytest.raises(ValueError, match="lost"):
        parse_catalogue('version = "1"\nmust_mail = ["a.lost"]\ndated = {}\ngroups = {}\ninternal = {}')
