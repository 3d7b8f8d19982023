"""What two publishers ask of a linkset, restated in our own words as JSON Schemas (no file of theirs is copied).

GS1-Conformant Resolver 1.2 (`linkset-schema`) and UNTP 0.7.0 (`idr/LinksetSchema`), both draft-07. Where the
patterns of GS1 are looser than its text (`[a-zA-z]`, no end), this file has the stricter reading.
"""

URL = "^https?://[a-zA-Z0-9./:-]+"
RELATION = r"^[a-z-]+$|^https?://[a-zA-Z0-9./]+$"
_BY_GS1 = {
    "href": {"type": "string", "pattern": URL},
    "title": {"type": "string", "minLength": 1},
    "hreflang": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{2}(-[A-Z]{2})?$"}},
    "type": {"type": "string", "pattern": r"^\w+/[-+.\w]+$"},
    "context": {"type": "array"},
    "fwqs": {"type": "boolean"},
    "public": {"type": "boolean"},
}
_BY_UNTP = _BY_GS1 | {
    "rel": {"type": "array", "items": {"type": "string"}},
    "method": {"type": "array", "items": {"type": "string"}},
    "encryptionMethod": {"type": "string"},
    "accessRole": {"type": "array", "items": {"type": "string"}},
}


def _schema(of_link):
    link = {"type": "object", "properties": of_link, "required": ["href", "title"], "additionalProperties": False}
    context = {
        "type": "object",
        "properties": {"anchor": {"type": "string", "pattern": URL}},
        "patternProperties": {rf"^(?!anchor$)({RELATION})": {"type": "array", "minItems": 1, "items": link}},
        "required": ["anchor"],
        "additionalProperties": False,
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"linkset": {"type": "array", "minItems": 1, "items": context}},
        "required": ["linkset"],
        "additionalProperties": False,
    }


GS1 = _schema(_BY_GS1)
UNTP = _schema(_BY_UNTP)
DESCRIPTION_FILE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "resolverRoot": {"type": "string", "pattern": URL},
        "supportedPrimaryKeys": {"type": "array", "items": {"enum": ["all", "00", "01", "253", "255", "414", "8003"]}},
        "supportedLinkType": {
            "type": "array",
            "items": {
                "properties": {
                    "namespace": {"type": "string", "pattern": URL},
                    "prefix": {"type": "string", "pattern": "^[a-zA-Z_][A-Za-z0-9_-]*:$"},
                }
            },
        },
    },
    "required": ["resolverRoot", "supportedPrimaryKeys"],
}
