"""Both clients against a server that drops lines, is busy, hangs, or is another program."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx2 as httpx
import pytest

from app.cli.company.session_file import SavedSession, SessionFile
from made_in_karabakh import (
    AsyncClient,
    ChangedMeanwhile,
    Client,
    ClientCredentials,
    Conflict,
    ConnectionFailed,
    KeptSession,
    NotAllowed,
    NotValid,
    Password,
    Retries,
    SignInAgain,
    Tokens,
    TooManyRequests,
    Unavailable,
    UnexpectedAnswer,
)
from made_in_karabakh.errors import retry_after
from tests.clients.misbehaving import DROP, HANG, misbehaving, problem, response

QUICK = Retries(attempts=4, first_wait=0.001, longest_wait=1.0)
SITE = '{"id": "1", "name": "Hall 1", "version": 3}'
MADE = response(201, SITE)
TOKEN = response(200, '{"access_token": "one", "expires_in": 900, "refresh_token": "again", "token_type": "Bearer"}')
BODY = {"name": "Hall 1", "district": "Ağdam"}


def sync_call(url, act, credentials=None, **more):
    with Client(url, credentials, retries=QUICK, **more) as mik:
        result = act(mik)
        return list(result) if hasattr(result, "__next__") else result


def async_call(url, act, credentials=None, **more):
    async def run():
        async with AsyncClient(url, credentials, retries=QUICK, **more) as mik:
            result = act(mik)
            return [each async for each in result] if hasattr(result, "__anext__") else await result

    return asyncio.run(run())


@pytest.fixture(params=[sync_call, async_call], ids=["sync", "async"])
def call(request):
    return request.param


def keys(server):
    return [re.findall(r"idempotency-key: (\S+)", each, flags=re.IGNORECASE) for each in server.requests]


def create(mik):
    return mik.sites.create(BODY)


@pytest.mark.parametrize(
    "fault",
    [DROP, response(503, problem(503, "unavailable")), response(502, "<html>", content_type="text/html")],
    ids=["dropped", "busy", "proxy"],
)
def test_a_creation_is_repeated_with_the_same_key(call, fault):
    with misbehaving(fault, fault, MADE) as server:
        assert call(server.url, create)["version"] == 3
        assert len(server.requests) == 3
        (key,), *others = keys(server)
        assert others == [[key], [key]]


def test_each_creation_has_a_key_of_its_own(call):
    with misbehaving(MADE) as server:
        call(server.url, create)
        call(server.url, create)
        call(server.url, lambda mik: mik.sites.create(BODY, idempotency_key="mine"))
        first, second, mine = keys(server)
        assert first != second
        assert mine == ["mine"]


def test_it_waits_as_long_as_it_is_asked_to(call):
    with misbehaving(response(429, problem(429, "too-many"), retry_after="0"), MADE) as server:
        assert call(server.url, create)["id"] == "1"
    with misbehaving(response(429, problem(429, "too-many"), retry_after="3600")) as server:
        with pytest.raises(TooManyRequests) as refused:
            call(server.url, create)
        assert refused.value.retry_after == 3600
        assert len(server.requests) == 1


def test_a_concurrent_repetition_that_is_in_progress_is_waited_for(call):
    busy = response(409, problem(409, "in-progress"), retry_after="0")
    with misbehaving(busy, MADE) as server:
        assert call(server.url, create)["id"] == "1"


def test_it_gives_up_and_says_so(call):
    with misbehaving(DROP) as server:
        with pytest.raises(ConnectionFailed, match=r"POST /v1/sites"):
            call(server.url, create)
        assert len(server.requests) == QUICK.attempts
    with misbehaving(response(503, problem(503, "paused"))) as server:
        with pytest.raises(Unavailable) as refused:
            call(server.url, create)
        assert refused.value.code == "paused"


def test_what_may_be_done_twice_only_by_mistake_is_not_repeated(call):
    with misbehaving(DROP) as server:
        with pytest.raises(ConnectionFailed):
            call(server.url, lambda mik: mik.account.set_password({"token": "x", "password": "y"}))
        assert len(server.requests) == 1


def test_a_silent_server_ends_by_the_timeout(call):
    with misbehaving(HANG, response(200, SITE)) as server:
        assert call(server.url, lambda mik: mik.sites.get("1"), timeout=0.2)["id"] == "1"


@pytest.mark.parametrize(
    "answer",
    [
        response(200, "<html>Sign in to the network</html>", content_type="text/html"),
        response(200, "{", content_type="application/json"),
        response(200, '{"items": 3}'),
        response(403, "<html>Forbidden</html>", content_type="text/html"),
        response(500, "not json"),
        response(422, "[]", content_type="application/problem+json"),
        response(302, "", location="https://elsewhere.example/"),
        response(200, "[]", content_encoding="gzip"),
    ],
)
def test_what_is_no_answer_of_the_service_is_never_taken_for_one(call, answer):
    with misbehaving(answer) as server, pytest.raises((UnexpectedAnswer, ConnectionFailed)):
        call(server.url, lambda mik: mik.products.list())


def test_a_download_that_breaks_off_is_no_whole_file(call):
    broken = response(200, "number;", content_type="text/csv", content_length=100)
    with misbehaving(broken) as server, pytest.raises(ConnectionFailed, match="broke off"):
        call(server.url, lambda mik: mik.products.export_csv())


def test_errors_are_typed_and_carry_places_and_criteria(call):
    places = problem(422, "invalid", errors='[{"pointer": "/hs6", "code": "unknown-hs-code", "detail": "No such."}]')
    with misbehaving(response(422, places, content_type="application/problem+json", x_request_id="r-1")) as server:
        with pytest.raises(NotValid, match="/hs6: No such") as refused:
            call(server.url, create)
        assert refused.value.errors[0]["pointer"] == "/hs6"
        assert refused.value.request_id == "r-1"
    criteria = problem(409, "not-eligible", findings='[{"rule": "C-06", "reason": "No change of heading."}]')
    with misbehaving(response(409, criteria, content_type="application/problem+json")) as server:
        with pytest.raises(Conflict) as refused:
            call(server.url, create)
        assert [each["rule"] for each in refused.value.criteria] == ["C-06"]
        assert len(server.requests) == 1


def test_a_version_is_sent_and_a_change_meanwhile_is_an_error_of_its_own(call):
    with misbehaving(response(412, problem(412, "version-changed"))) as server:
        with pytest.raises(ChangedMeanwhile):
            call(server.url, lambda mik: mik.products.retire("a b", version=7))
        assert 'if-match: "7"' in server.requests[0].lower()
        assert server.requests[0].startswith("POST /v1/products/a%20b/retire")


def test_no_id_reaches_another_address(call):
    with misbehaving(response(200, SITE)) as server:
        call(server.url, lambda mik: mik.sites.get("../../v1/auth"))
        assert server.requests[0].startswith("GET /v1/sites/..%2F..%2Fv1%2Fauth ")
        with pytest.raises(ValueError, match="part of an address"):
            call(server.url, lambda mik: mik.sites.get(".."))


@pytest.mark.parametrize("path", ["https://elsewhere.example/v1", "//elsewhere.example/v1", ".elsewhere.example/", ""])
def test_a_path_leads_to_no_other_host(call, path):
    with misbehaving(response(200, SITE)) as server:
        with pytest.raises(ValueError, match="another host"):
            call(server.url, lambda mik: mik.request("GET", path))
        assert server.requests == []


def test_a_kept_session_is_renewed_once_for_all_who_share_it(call, tmp_path):
    kept = Tokens("old", datetime(2026, 1, 1, tzinfo=UTC), "once")
    store = SessionFile(tmp_path / "session.json")
    with misbehaving(TOKEN, response(200, SITE)) as server:
        store.begin(SavedSession(server.url, "a@b.example", kept))
        for _ in range(2):
            assert call(server.url, lambda mik: mik.sites.get("1"), KeptSession(store))["id"] == "1"
        assert ["refresh_token=once" in each for each in server.requests] == [True, False, False]
        assert store.read().tokens.refresh_token == "again"
        store.remove()
        with pytest.raises(SignInAgain):
            call(server.url, lambda mik: mik.sites.get("1"), KeptSession(store))


def test_an_ended_session_is_not_begun_anew_without_a_password(call, tmp_path):
    store = SessionFile(tmp_path / "session.json")
    with misbehaving(response(400, '{"error": "invalid_grant"}')) as server:
        store.begin(SavedSession(server.url, "a@b.example", Tokens("old", datetime(2026, 1, 1, tzinfo=UTC), "used")))
        with pytest.raises(SignInAgain):
            call(server.url, lambda mik: mik.sites.get("1"), KeptSession(store))
        assert len(server.requests) == 1


def test_pages_are_followed_by_their_cursor_at_this_service_only(call):
    link = '<https://elsewhere.example/v1/sites?cursor=c2&limit=1>; rel="next"'
    pages = (response(200, f'{{"items": [{SITE}]}}', link=link), response(200, f'{{"items": [{SITE}]}}'))
    with misbehaving(TOKEN, *pages) as server:
        found = call(server.url, lambda mik: mik.sites.list(page_size=1), ClientCredentials("id", "secret"))
        assert len(found) == 2
        assert "GET /v1/sites?limit=1&cursor=c2 " in server.requests[2]


def test_an_expired_token_is_renewed_once(call):
    unknown = response(401, problem(401, "unauthenticated"))
    with misbehaving(TOKEN, unknown, TOKEN.replace(b"one", b"two"), response(200, SITE)) as server:
        assert call(server.url, lambda mik: mik.sites.get("1"), Password("a@b.example", "pass word"))["id"] == "1"
        assert "grant_type=password" in server.requests[0]
        assert "grant_type=refresh_token&refresh_token=again" in server.requests[2]
        assert "authorization: bearer two" in server.requests[3].lower()


def test_threads_and_tasks_that_share_a_client_share_its_token():
    credentials = ClientCredentials("id", "secret")
    with misbehaving(TOKEN, response(200, SITE)) as server, Client(server.url, credentials, retries=QUICK) as mik:
        with ThreadPoolExecutor(4) as pool:
            assert {each["id"] for each in pool.map(mik.sites.get, "1234")} == {"1"}
        assert ["/v1/auth/token" in each for each in server.requests] == [True, False, False, False, False]

    async def at_once(url):
        async with AsyncClient(url, credentials, retries=QUICK) as mik:
            return await asyncio.gather(*(mik.sites.get(each) for each in "1234"))

    with misbehaving(TOKEN, response(200, SITE)) as server:
        assert len(asyncio.run(at_once(server.url))) == 4
        assert sum("/v1/auth/token" in each for each in server.requests) == 1


def test_a_session_that_ended_begins_anew_with_the_password(call):
    ended = response(400, '{"error": "invalid_grant"}')
    unknown = response(401, problem(401, "unauthenticated"))
    with misbehaving(TOKEN, unknown, ended, TOKEN, response(200, SITE)) as server:
        assert call(server.url, lambda mik: mik.sites.get("1"), Password("a@b.example", "pw"))["id"] == "1"
        assert "grant_type=password" in server.requests[3]


def test_a_refresh_token_is_never_sent_twice(call):
    """A second use would end the session, and the first may have arrived."""
    unknown = response(401, problem(401, "unauthenticated"))
    with misbehaving(TOKEN, unknown, DROP, TOKEN, response(200, SITE)) as server:
        assert call(server.url, lambda mik: mik.sites.get("1"), Password("a@b.example", "pw"))["id"] == "1"
        grants = [each.rpartition("grant_type=")[2].partition("&")[0] for each in server.requests]
        assert grants[:4:3] == ["password", "password"]
        assert grants.count("refresh_token") == 1


def test_a_wrong_secret_is_the_services_refusal(call):
    with misbehaving(response(401, '{"error": "invalid_client", "error_description": "Unknown."}')) as server:
        with pytest.raises(Exception, match="Unknown") as refused:
            call(server.url, lambda mik: mik.sites.get("1"), ClientCredentials("id", "wrong"))
        assert refused.value.code == "invalid_client"
        assert len(server.requests) == 1


def test_a_second_factor_is_sent_where_it_is_asked_for(call):
    asked, wrong = (response(403, problem(403, each)) for each in ("second-factor-required", "wrong-code"))
    with misbehaving(TOKEN, asked, wrong, response(200, "{}"), MADE) as server:
        person = Password("a@b.example", "pw", iter(["111111", "222222"]))
        assert call(server.url, create, person)["id"] == "1"
        assert '"otp":"222222"' in server.requests[3]
        (key,), (again,) = keys(server)[1], keys(server)[4]
        assert key == again
    with misbehaving(TOKEN, asked) as server, pytest.raises(NotAllowed):
        call(server.url, create, Password("a@b.example", "pw"))


def test_secrets_are_in_no_text_of_the_credentials():
    shown = repr((ClientCredentials("id", "hush"), Password("a@b.example", "hush", iter(["hush"]))))
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2", 2.0),
        ("Sat, 28 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 40, None),
    ],
)
def test_retry_after_is_seconds_or_a_moment(text, seconds):
    answer = httpx.Response(503, headers={"Retry-After": text})
    assert retry_after(answer, datetime(2026, 11, 28, 12, tzinfo=UTC)) == seconds
