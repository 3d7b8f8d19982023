"""Accept in a PUT the body that the GET of the same resource answered.

A member that only the service sets is ignored while it has its present value; any other value is refused by name, so
that nobody believes to have changed it.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import Field, create_model

from app.core.errors import Invalid
from app.core.messages import Message
from app.web.schema_types import RequestModel, ResponseModel

READ_ONLY = Message("The service sets this. Leave it out, or send the value that `GET` gives now.", code="read-only")


class ReplaceModel(RequestModel):
    """Define the body of a PUT; `accepts_response` adds the members that only the response has."""

    read_only: ClassVar[frozenset[str]] = frozenset()


Body = TypeVar("Body", bound=ReplaceModel)


def accepts_response(response: type[ResponseModel]) -> Callable[[type[Body]], type[Body]]:
    """Return a decorator that adds each member of `response` that the body lacks, of any type and optional."""

    def extend(body: type[Body]) -> type[Body]:
        names = [name for name in response.model_fields if name not in body.model_fields]
        described = "read-only: may be left out; only the value of `GET` is accepted"
        fields: dict[str, Any] = {name: (Any, Field(None, description=described)) for name in names}
        extended = create_model(
            body.__name__, __base__=body, __module__=body.__module__, __doc__=body.__doc__, **fields
        )
        extended.read_only = frozenset(names)
        return extended

    return extend


def read_only_errors(body: ReplaceModel, load_present: Callable[[], ResponseModel]) -> list[Mapping[str, str]]:
    """Return an error for each read-only member of the body that differs from the resource as it is now.

    `load_present` is called only where the body has such members.
    """
    sent = body.read_only & body.model_fields_set
    if not sent:
        return []
    present = load_present().model_dump(mode="json")
    return [
        {"pointer": f"/{name}", "detail": READ_ONLY}
        for name in type(body).model_fields
        if name in sent and getattr(body, name) != present[name]
    ]


def require_unchanged(body: ReplaceModel, load_present: Callable[[], ResponseModel]) -> None:
    """Require present values of all read-only members. Raises `Invalid`."""
    if errors := read_only_errors(body, load_present):
        raise Invalid.with_errors(errors)
