"""Every page there is, by its route, with an address to look at it. Whoever adds a page adds it here: it is then walked
by the tests of headers, languages, widths and accessibility.
"""

from urllib.parse import quote

TRIED = (
    "scheme=MIK&name=Tube&hs6=7306.30&ex_works=1450&foreign=830&headings=7208,7306&karabakh=35&azerbaijan=56"
    "&district=Ağdam&residence=resident&work=tube_welding&step=here"
)
PAGES = {
    "/verify": ["/verify", "/verify?number=MIK-2026-000042-A", "/verify?number={foreign}"],
    "/v/{number:path}": ["/v/{valid}", "/v/{suspended}", "/v/{revoked}", "/v/{valid}?holder=Somebody+else"],
    "/": ["/"],
    "/register": ["/register", "/register?q=Агдам&hs=7306&status=active", "/register?q=nothing-like-it"],
    "/register/holders/{organisation_id}": ["/register/holders/{holder}"],
    "/register/parks/{code}": ["/register/parks/AGDAM-SP", "/register/parks/ALAT-AIZ"],
    "/register/gtins/{gtin}": ["/register/gtins/{gtin}"],
    "/watch": ["/watch?kind=heading&value=7306"],
    "/watch/{token}": ["/watch/mikw_over"],
    "/report": ["/report?number=MIK-2026-000042-Y"],
    "/apply": ["/apply"],
    "/apply/{code}": ["/apply/MIK"],
    "/problems": ["/problems"],
    "/problems/{code}": ["/problems/wrong-state", "/problems/register-says"],
    "/confirm": ["/confirm", "/confirm?decision=suspend&subject=MIK-2026-000042-Y"],
    "/apply/check": ["/apply/check", f"/apply/check?{TRIED}"],
}
FAULT = "/nothing-here"
BESIDE = {"/static/{version}/{name}", "/docs", "/docs/start.js", "/docs/assets", "/openapi.json"}
"""Outside of the API's description as well, and no pages."""


def addresses(site):
    return [
        address.format(**site.numbers, holder=site.holder, gtin=site.gtin, foreign=foreign(site)) for address in every()
    ] + [FAULT]


def foreign(site):
    """A code that leads to another host, with the number of a valid certificate."""
    return quote(f"https://mik-az.example/v/{site.numbers['valid']}", safe="")


def every():
    return [address for some in PAGES.values() for address in some]
