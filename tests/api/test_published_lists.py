"""The closed lists and the headings of the Harmonized System, for everybody."""

import hashlib
from urllib.parse import urlsplit

import pytest

from app.reference import hs_nomenclature
from app.schemes.closed_lists import load_lists
from tests.factories import ok
from tests.helpers import refused

pytestmark = pytest.mark.pg_sampled
LISTS = ("/v1/operations", "/v1/units", "/v1/flags")
ALL = pytest.mark.parametrize("path", [*LISTS, "/v1/headings", "/v1/headings?q=7306"])


def items(app, path):
    return ok(app.http.get(path))["items"]


def spellings(name):
    """The same name as people type it."""
    return (name, name.upper(), f"  {name.replace(' ', '-')}. ", name.replace("ə", "e").replace("ı", "i"))


@pytest.mark.parametrize(
    ("path", "look_up"), list(zip(LISTS, ("find_operation", "find_unit", "find_flag"), strict=True))
)
def test_each_code_is_found_by_each_of_its_names(shared_app, path, look_up):
    find = getattr(load_lists(), look_up)
    listed = items(shared_app, path)
    assert len({each["code"] for each in listed}) == len(listed) > 10
    for each in listed:
        assert set(each["names"]) == {"az", "en", "ru"}
        names = [each["code"], *each["names"].values(), *each.get("signs", {}).values()]
        for typed in (spelling for name in names for spelling in spellings(name)):
            found = find(typed)
            assert (found.code if look_up == "find_operation" else found) == each["code"], typed
    assert find("nothing of the kind") is None


def test_no_name_belongs_to_two_codes():
    for codes, groups in ((load_lists().units, ("unit_in_full", "unit")), (load_lists().flags, ("flag",))):
        owners = {}
        for code in codes:
            for name in (code, *(name for group in groups for name in load_lists().names[group][code].values())):
                assert owners.setdefault(name.casefold(), code) == code


@pytest.mark.parametrize("path", LISTS)
def test_a_list_says_which_it_is(shared_app, path):
    answer = ok(shared_app.http.get(path))
    assert answer["digest"] == load_lists().digest
    assert answer["version"] in (load_lists().version, load_lists().operations_version)
    assert answer["confirmed"] is False
    rulesets = ok(shared_app.http.get("/v1/schemes/MIK/rulesets"))["items"]
    assert rulesets[0]["content"]["lists_digest"] == answer["digest"]


def test_what_a_list_says_of_its_codes(shared_app):
    salting = next(each for each in items(shared_app, "/v1/operations") if each["code"] == "salting")
    assert salting == {
        "code": "salting",
        "class": "simple",
        "names": {"az": "duzlama", "en": "salting or brining", "ru": "посол, помещение в рассол"},
        "only_in": [],
        "enough_in": ["0210", "0305"],
        "basis": "R a",
    }
    assert items(shared_app, "/v1/units")[0] == {
        "code": "t",
        "names": {"en": "tonne", "az": "ton", "ru": "тонна"},
        "signs": {"en": "t", "az": "t", "ru": "т"},
    }
    assert ok(shared_app.http.get("/v1/flags"))["country_prefix"] == "joint_production_"


@ALL
def test_unchanged_is_not_sent_again(shared_app, path):
    answer = shared_app.http.get(path)
    tag = answer.headers["ETag"]
    assert tag == f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    assert answer.headers["Cache-Control"].startswith("public, max-age=3600")
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = shared_app.http.get(path, headers={"If-None-Match": condition})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert shared_app.http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@ALL
def test_head_any_origin_and_parameters_that_there_are_not(shared_app, path):
    answer = shared_app.http.get(path)
    head = shared_app.http.head(path, headers={"Origin": "https://portal.example"})
    assert (head.status_code, head.content, head.headers["ETag"]) == (200, b"", answer.headers["ETag"])
    assert head.headers["Access-Control-Allow-Origin"] == "*"
    more = "&" if "?" in path else "?"
    refused(shared_app.http.get(f"{path}{more}colour=red"), 422)
    refused(shared_app.http.post(path), 405)


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("7306", "7306"),
        ("7306.30", "730630"),
        (" 730630 ", "730630"),
        ("0409", "0409"),
        ("NATURAL honey", "0409"),
        ("hon nat", "0409"),
        ("cigar", "2402"),
    ],
)
def test_headings_by_code_and_by_words(shared_app, asked, first):
    found = items(shared_app, f"/v1/headings?q={asked}")
    assert found[0]["code"] == first
    assert all(each["title"] == hs_nomenclature.find_title(each["code"]) for each in found)


@pytest.mark.parametrize("asked", ["9999", "999999", "honey xyzzy", "7306301", "%00", "%D9%A7%D9%A3"])
def test_what_is_no_heading_is_not_found(shared_app, asked):
    assert items(shared_app, f"/v1/headings?q={asked}") == []


def test_pages_hold_every_heading_once(shared_app):
    path, codes = "/v1/headings?limit=100", []
    while path:
        answer = shared_app.http.get(path)
        codes += [each["code"] for each in ok(answer)["items"]]
        link = answer.headers.get("Link")
        path = link and link[1 : link.index(">")]
        assert path is None or urlsplit(path).path == "/v1/headings"
    assert codes == sorted(code for code in hs_nomenclature.load_titles() if len(code) > 2)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", f"q={'a' * 101}"])
def test_headings_are_bounded(shared_app, query):
    refused(shared_app.http.get(f"/v1/headings?{query}"), 422, "invalid")


def test_a_cursor_beyond_the_table_finds_nothing(shared_app):
    assert items(shared_app, f"/v1/headings?cursor={'_' * 22}") == []


def test_the_description_has_examples(shared_app):
    paths = ok(shared_app.http.get("/openapi.json"))
    for path in (*LISTS, "/v1/headings"):
        schema = paths["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["$ref"].rsplit("/", 1)[1] in paths["components"]["schemas"]
    assert paths["components"]["schemas"]["OperationResponse"]["properties"]["class"]["examples"] == ["simple"]
