"""Fixtures that begin many tests alike: played once for each kind of database and worker, and copied for each test.

    @played
    def company(app):
        return app.set_up_company()

is a fixture of one test, as with `@pytest.fixture`, but the app of the test starts on a copy of a database in which the
function has run already. It takes the app alone, of which it is the first user, and changes nothing but the service.
"""

from copy import copy, deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Played:
    """Address of the database after the play, folder of its keys and files, its app (closed), and what was returned."""

    url: str
    folder: Path
    app: Any
    returned: Any

    def continue_in(self, app):
        """Give an app on a copy of the database the people of this one; return what the play did, as of that app."""
        app.clock.now = self.app.clock.now
        app._serials = copy(self.app._serials)
        keys = [person.authenticator for person in self.app._staff.values()]
        memo = {id(self.app): app} | {id(key): key for key in keys}
        app._staff, returned = deepcopy((self.app._staff, self.returned), memo)
        return returned


def played(play):
    """Make a fixture of a function that takes the app."""

    def begun(app):
        return app.begun

    begun.play = play
    return pytest.fixture(name=play.__name__)(begun)


def play_of(request):
    """The play that a test begins with, or None."""
    fixtures = [each[-1].func for each in request.node._fixtureinfo.name2fixturedefs.values()]
    plays = [each.play for each in fixtures if hasattr(each, "play")]
    assert len(plays) < 2, f"{request.node.nodeid} begins with more than one play"
    return plays[0] if plays else None
