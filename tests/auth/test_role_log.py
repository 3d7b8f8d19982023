"""A role counts only while the public log gives it, whatever rows and codes the database holds."""

from uuid import UUID

import sqlalchemy as sa
from starlette.testclient import TestClient

from app.auth import role_log, user_repository, users
from app.auth.role_log import role_sha256
from app.bootstrap import prepare
from app.core.actor import Role
from app.core.crypto.row_macs import find_unauthentic, load_row_macs
from app.integrity import rights
from app.main import create_asgi_app
from app.transparency import log_repository
from tests.factories import ok
from tests.helpers import refused
from tests.transparency.helpers import attack, entries_of


def roles_in_log(app):
    return [(e["event"], e["role"]) for e in entries_of(app.database) if e["event"].startswith("role.")]


def named(app):
    with app.database.read_session() as session:
        assert list(find_unauthentic(session, load_row_macs(app.settings.row_key))) == []
        return [each.row for each in rights.find_rights_errors(session)]


def put_back(app, row):
    with app.database.write_engine.begin() as connection:
        names = list(row._mapping)
        statement = f"INSERT INTO staff_roles ({', '.join(names)}) VALUES (:{', :'.join(names)})"
        connection.execute(sa.text(statement), dict(row._mapping))


def test_a_role_that_was_taken_is_not_had_again_by_its_old_row(app):
    owner, person = app.owner, app.second_owner
    ok(person.get("/v1/users"))
    with app.database.read_session() as session:
        found = session.execute(sa.text("SELECT * FROM staff_roles"))
        kept = [row for row in found if UUID(str(row.user_id)) == UUID(person.id)]
    ok(owner.delete(f"/v1/users/{person.id}/roles/owner"))
    sha256 = role_sha256(UUID(person.id), "owner")
    assert [e for e in roles_in_log(app) if e[1] == sha256] == [("role.granted", sha256), ("role.taken", sha256)]
    assert named(app) == []
    put_back(app, kept[0])
    refused(person.get("/v1/users"), 403)
    with app.database.read_session() as session:
        assert user_repository.get_roles(session, UUID(person.id)) == frozenset()
        assert not user_repository.has_active_role(session, UUID(person.id), [Role.OWNER])
    assert named(app) == [f"role owner of user {person.id}"]


def test_an_old_row_does_not_block_a_new_grant(app):
    with app.database.session() as session:
        user_repository.add_role(session, UUID(app.auditor.id), Role.OWNER)  # with a right code, past the service
        session.commit()
    with app.database.session() as session:
        user_repository.add_role(session, UUID(app.auditor.id), Role.OWNER)
        role_log.log_granted(session, UUID(app.auditor.id), Role.OWNER, app.clock())
        session.commit()
    with app.database.read_session() as session:
        assert Role.OWNER in user_repository.get_roles(session, UUID(app.auditor.id))
    assert named(app) == [f"role owner of user {app.auditor.id}"]  # no event of the audit trail gives it


def test_a_process_that_cannot_verify_the_log_says_so(app):
    """It does not know who has which role: neither “forbidden” nor an error of its own."""
    owner = app.owner
    ok(answer := owner.get("/v1/users"))
    headers = {"Authorization": answer.request.headers["Authorization"]}
    attack(app.database, "DELETE FROM log_entries WHERE seq = 3")
    asgi = create_asgi_app(app.settings, app.clock)
    with TestClient(asgi, base_url=app.settings.base_url, raise_server_exceptions=False) as http:
        refused(http.get("/v1/users", headers=headers), 503, "log-damaged")
    ok(owner.get("/v1/users"))  # whoever verified the log before knows


def test_a_deleted_role_is_named(app):
    assert app.reviewer
    attack(app.database, "DELETE FROM staff_roles")
    assert named(app) == [f"role reviewer of user {app.reviewer.id}"]


def test_the_roles_of_before_are_logged_once(app):
    """A register of an earlier version: roles without entries count from the next start on."""
    with app.database.session() as session:
        user = users.create_user(session, "old@staff.example", "Old", "x", organisation_id=None, now=app.clock())
        user_repository.add_role(session, user_id := user.id, Role.AUDITOR)
        session.commit()
    with app.database.read_session() as session:
        assert user_repository.get_roles(session, user_id) == frozenset()
        assert log_repository.list_entries_of(session, "role.granted") == []
    for _ in range(2):
        prepare(app.settings, app.clock())
        assert roles_in_log(app) == [("role.granted", role_sha256(user_id, "auditor"))]
    app.container.log.refresh(force=True)
    with app.database.read_session() as session:
        assert user_repository.get_roles(session, user_id) == {Role.AUDITOR}


def test_a_role_that_another_process_gave_counts_at_once(app):
    asgi = create_asgi_app(app.settings, app.clock)
    with TestClient(asgi, base_url=app.settings.base_url) as other:
        ok(other.get("/v1/users", headers=authorization(app.owner)))  # it has just read the log
        told = ok(other.get("/v1/me", headers=authorization(app.staff(Role.AUDITOR, name="new-auditor"))))
    assert told["roles"] == ["auditor"]


def authorization(person):
    return {"Authorization": person.get("/v1/me").request.headers["Authorization"]}
