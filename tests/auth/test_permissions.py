"""Who may not is told which roles may."""

import pytest

from app.auth.permissions import require_role
from app.core.actor import Actor, ActorKind, Role
from app.core.errors import Forbidden

pytestmark = pytest.mark.pure
REVIEWER = Actor(ActorKind.USER, None, frozenset({Role.REVIEWER}))


@pytest.mark.parametrize(
    ("roles", "named"),
    [
        ((Role.OWNER, Role.SYSTEM), ["owner"]),
        ((Role.SYSTEM,), ["system"]),
    ],
)
def test_a_refusal_names_the_roles_that_people_can_have_else_the_service_itself(roles, named):
    with pytest.raises(Forbidden) as refused:
        require_role(REVIEWER, *roles)
    assert refused.value.data == {"roles": named}
