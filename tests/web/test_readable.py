"""What can be read of a body though parts of it cannot."""

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.core.messages import Message
from app.web.problems.partial_bodies import independent_errors, repair_body

pytestmark = pytest.mark.pure


class Colour(StrEnum):
    RED = "red"


class Line(BaseModel):
    name: str = Field(examples=["Coil"])
    value: int | None = None


class Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(examples=["730630"])
    colour: Colour
    kind: Literal["a", "b"]
    site: UUID
    count: int
    is_new: bool
    text: str
    lines: list[Line]
    names: dict[Annotated[str, Field(pattern="^[a-z]{2}$")], str] = {}
    proofs: list[UUID] = []
    tags: list[str] = []
    sizes: list[int] = []
    anything: Any = None

    @field_validator("anything")
    @classmethod
    def never(cls, _value):
        raise ValueError("no")


class Needs(BaseModel):
    line: Line


RIGHT = {
    "code": "1",
    "colour": "red",
    "kind": "b",
    "site": str(UUID(int=7)),
    "count": 3,
    "is_new": True,
    "text": "t",
    "lines": [{"name": "x", "value": 1}],
}


def as_read(sent, model=Sheet):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(sent)
    return repair_body(model, sent, [(each["type"], tuple(each["loc"])) for each in caught.value.errors()])


@pytest.mark.parametrize("name", RIGHT)
def test_a_missing_or_unreadable_member_hides_no_other(name):
    others = set(RIGHT) - {name}
    for sent in (RIGHT | {name: {"no": 1}}, {other: RIGHT[other] for other in others}):
        body = as_read(sent).model_dump(mode="json")
        assert {other: body[other] for other in others} == {other: RIGHT[other] for other in others}


def test_what_is_within_is_repaired_too():
    sent = RIGHT | {
        "lines": [{"name": "x", "value": "y"}, {"value": 5}],
        "names": {"en": "n", "ENG": "m", "az": 3},
        "proofs": ["no", str(UUID(int=9)), "nor"],
        "tags": [1, "t", 2],
        "is_admin": True,
    }
    body = as_read(sent)
    assert [(line.name, line.value) for line in body.lines] == [("x", None), ("Coil", 5)]
    assert body.names == {"en": "n"}
    assert body.proofs == [UUID(int=0), UUID(int=9), UUID(int=2)]
    assert body.tags == ["x0", "t", "x2"]
    assert sent["tags"] == [1, "t", 2], "what was sent stays as it was"


@pytest.mark.parametrize("sent", [[], None, "text", RIGHT | {"sizes": ["x"]}, RIGHT | {"lines": ["x"]}])
def test_some_bodies_cannot_be_read_at_all(sent):
    assert as_read(sent) is None


def test_a_place_that_is_not_there_gives_up():
    assert as_read({}, Needs) is None
    assert repair_body(Sheet, RIGHT, [("missing", ("lines", 5, "name"))]) is None
    assert repair_body(Sheet, RIGHT, [("missing", ("nothing", "name"))]) is None
    assert repair_body(Sheet, RIGHT, [("missing", ("lines", "name"))]) is None
    assert repair_body(Sheet, RIGHT, [("extra_forbidden", ("more",))]) is not None
    assert repair_body(Sheet, RIGHT | {"anything": 1}, [("missing", ("more",))]) is None


@pytest.mark.parametrize(
    ("pointer", "code", "unreadable", "is_told"),
    [
        ("/hs6", "wrong-format", "/unit", True),
        ("/hs6", "wrong-format", "/hs6", False),
        ("/names/az", "required", "/names", False),
        ("/names", "required", "/names/az", True),
        ("/national_code", "other-hs-code", "/hs6", False),
        ("/national_code", "wrong-format", "/hs6", True),
        ("/materials/3/origin_district", "unknown-district", "/materials/3/origin_country", False),
        ("/materials/3/origin_district", "unknown-district", "/materials/4/origin_country", True),
        ("/days/0/day", "other-year", "/year", False),
        ("/park_code", "other-district", "/district", False),
        ("/park_code", "unknown-park", "/district", True),
    ],
)
def test_what_rests_on_a_replaced_place_is_not_told(pointer, code, unreadable, is_told):
    fault = {"pointer": pointer, "detail": Message("Wrong.", code=code)}
    assert list(independent_errors([fault], [unreadable])) == [fault] * is_told


def test_a_line_is_not_called_the_twin_of_a_replaced_one():
    fault = {"pointer": "/costs/1", "detail": Message("Twice.", code="duplicate")}
    assert list(independent_errors([fault], ["/costs/0/kind"])) == []
    assert list(independent_errors([fault], ["/steps"])) == [fault]
