"""Every page there is, by its route, with an address to look at it. Whoever adds a page adds it here: it is then walked
by the tests of headers, languages, widths and accessibility.
"""

PAGES = {
    "/verify": ["/verify", "/verify?number=MIK-2026-000042-A"],
    "/v/{number:path}": ["/v/{valid}", "/v/{suspended}", "/v/{revoked}"],
}
FAULT = "/nothing-here"
BESIDE = {"/static/{version}/{name}", "/docs", "/docs/start.js", "/docs/assets", "/openapi.json"}
"""Outside of the API's description as well, and no pages."""


def addresses(site):
    return [address.format(**site.numbers) for address in every()] + [FAULT]


def every():
    return [address for some in PAGES.values() for address in some]
