"""Write models.py and resources.py of the client from docs/openapi.json: `python clients/python/generate.py`.

Every operation becomes a method of the resource that its tag names, for `Client` and for `AsyncClient`. Every schema
becomes a TypedDict: requests and answers are what JSON carries, so that a field or a value that a later service adds
breaks nobody.
"""

import json
import keyword
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "openapi.json"
PACKAGE = HERE / "made_in_karabakh"

Json = Mapping[str, Any]

NAMES = {
    "assess_products": "assess",
    "export_my_certificates_csv": "export_csv",
    "export_my_certificates_json_lines": "export_json_lines",
    "list_my_certificates": "list",
    "add_application_evidence": "add_to_application",
    "add_company_evidence": "add",
    "download_application_evidence": "download_of_application",
    "list_application_evidence": "list_of_application",
    "list_company_evidence": "list",
    "list_company_events": "list",
    "remove_application_evidence": "remove_from_application",
    "reset_password": "set_password",
}
"""Operation → method, where the rule of `method_name` gives no good name."""

READS = frozenset({"verify_certificate", "verify_certificates", "verify_certificate_file", "assess_products"})
"""POST operations that change nothing: repeated after a lost connection without an idempotency key."""

WITHOUT = frozenset({"tokens", "digital link"})
"""Tags that are no resource: the client itself gets and renews tokens, and a digital link is an address for readers."""

WHOLE_TEXTS = ("+jwt", "/jwt", "svg+xml", "text/plain", "text/html")
MODELS_HEAD = '''"""Requests and answers, as JSON carries them. Written by generate.py from docs/openapi.json."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

'''
RESOURCES_HEAD = '''"""Operations of the service by resource. Written by generate.py from docs/openapi.json."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from made_in_karabakh import models as m
from made_in_karabakh.call import Call, Upload, Version

if TYPE_CHECKING:
    from made_in_karabakh.client import AsyncClient, Client
'''


def main() -> None:
    """Write both modules."""
    document = json.loads(DOCUMENT.read_text("utf-8"))
    for name, text in modules(document).items():
        (PACKAGE / name).write_text(text, "utf-8")
        sys.stdout.write(f"{PACKAGE / name} is written.\n")


def modules(document: Json) -> dict[str, str]:
    """Return file name → text of each generated module."""
    return {"models.py": models(document["components"]["schemas"]), "resources.py": resources(document)}


def models(schemas: Json) -> str:
    kept = {name: schema for name, schema in schemas.items() if not name.startswith(("Body_", "Page_"))}
    aliases = [f"{name}: TypeAlias = {python_type(s)}\n" for name, s in kept.items() if "properties" not in s]
    classes = [typed_dict(name, schema) for name, schema in kept.items() if "properties" in schema]
    return MODELS_HEAD + "".join(aliases) + "".join(classes)


def typed_dict(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    fields = {
        field: python_type(part) if field in required else f"NotRequired[{python_type(part)}]"
        for field, part in schema["properties"].items()
    }
    if any(keyword.iskeyword(field) or not field.isidentifier() for field in fields):
        listed = "".join(f"        {field!r}: {kind!r},\n" for field, kind in fields.items())
        return f'\n\n{name} = TypedDict(\n    "{name}",\n    {{\n{listed}    }},\n)\n'
    lines = "".join(
        f"    {field}: {kind}\n{docstring(schema['properties'][field].get('description', ''), '    ')}"
        for field, kind in fields.items()
    )
    return f"\n\nclass {name}(TypedDict):\n{docstring(schema.get('description', ''), '    ')}{lines or '    pass'}\n"


def python_type(schema: Json, prefix: str = "", *, items: str = "list") -> str:
    """Return the annotation of a JSON value; `items` is the container of arrays."""
    if "$ref" in schema:
        return prefix + str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(repr(each) for each in schema.get('enum', [schema.get('const')]))}]"
    if found := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(python_type(each, prefix, items=items) for each in found))
    if len(schema.get("allOf", ())) == 1:
        return python_type(schema["allOf"][0], prefix, items=items)
    if schema.get("type") == "array":
        return f"{items}[{python_type(schema.get('items', {}), prefix, items=items)}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), True)
        mapping = "dict" if items == "list" else "Mapping"
        return f"{mapping}[str, {'Any' if values is True else python_type(values, prefix, items=items)}]"
    if isinstance(schema.get("type"), list):
        return " | ".join(python_type({**schema, "type": each}, prefix, items=items) for each in schema["type"])
    simple = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
    return simple.get(schema.get("type", ""), "Any")


def resources(document: Json) -> str:
    by_tag: dict[str, list[tuple[str, str, Json]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if operation["tags"][0] not in WITHOUT:
                by_tag.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    schemas = document["components"]["schemas"]
    parts = [RESOURCES_HEAD]
    for tag, found in sorted(by_tag.items()):
        names = [method_name(operation["operationId"], tag) for _, _, operation in found]
        if len(set(names)) < len(names):
            raise ValueError(f"{tag}: two operations would have one name; add one to NAMES: {names}")
        for is_async in (False, True):
            parts.append(
                f"\n\nclass {class_name(tag, is_async)}:\n"
                f"    def __init__(self, client: {'Async' * is_async}Client) -> None:\n        self._client = client\n"
            )
            parts += [write_method(*each, tag, schemas, is_async=is_async) for each in found]
    for is_async in (False, True):
        listed = "".join(
            f"        self.{tag.replace(' ', '_')} = {class_name(tag, is_async)}(client)\n" for tag in sorted(by_tag)
        )
        kind = "Async" * is_async
        parts.append(f"\n\nclass {kind}Resources:\n    def __init__(self, client: {kind}Client) -> None:\n{listed}")
    return "".join(parts)


def class_name(tag: str, is_async: bool) -> str:
    return "Async" * is_async + tag.title().replace(" ", "")


def method_name(operation_id: str, tag: str) -> str:
    """Return the operation without the words of its resource: `export_products_csv` of products is `export_csv`."""
    one = tag.removesuffix("ies") + "y" if tag.endswith("ies") else tag.removesuffix("s")
    own = {tag.replace(" ", "_"), one.replace(" ", "_")}
    left = re.sub(rf"_({'|'.join(sorted(own, key=len, reverse=True))})(?=_|$)", "", operation_id, count=1)
    return NAMES.get(operation_id, left if tag.endswith("s") or tag == "evidence" else operation_id)


def write_method(method: str, path: str, operation: Json, tag: str, schemas: Json, *, is_async: bool) -> str:
    name = method_name(operation["operationId"], tag)
    kind, result, accept = answer(operation, schemas)
    positional, keywords, call = signature(method, path, operation, schemas, is_page=kind == "pages")
    if accept != "application/json":
        call["accept"] = repr(accept)
    listed = ", ".join(f"{field}={value}" for field, value in call.items())
    of = result or ("str" if kind == "text" else "bytes")
    returns = {"pages": f"Iterator[{of}]", "stream": "Iterator[bytes]", "all_of": f"Sequence[{of}]"}.get(kind, of)
    prefix, wait = ("async ", "await ") if is_async and kind not in {"pages", "stream"} else ("", "")
    if is_async and not prefix:
        returns = "Async" + returns
    takes = ", ".join(["self", *positional, *(["*", *keywords] if keywords else [])])
    said = docstring(operation.get("summary", "") + ".\n\n" + operation.get("description", ""), " " * 8)
    return (
        f"\n    {prefix}def {name}({takes}) -> {returns}:\n{said}"
        f"        call: Call[{of}] = Call({method!r}, {template(path)}, {listed})\n"
        f"        return {wait}self._client.{kind}(call)\n"
    ).replace(", )", ")")


def template(path: str) -> str:
    return f"({path!r}, {', '.join(re.findall('{([a-z_]+)}', path))})" if "{" in path else repr(path)


def signature(
    method: str, path: str, operation: Json, schemas: Json, *, is_page: bool
) -> tuple[list[str], list[str], dict[str, str]]:
    """Return positional and keyword parameters, and the arguments of the call."""
    positional = [f"{each}: str" for each in re.findall("{([a-z_]+)}", path)]
    keywords: list[str] = []
    query: dict[str, str] = {}
    call: dict[str, str] = {"signed": str(bool(operation.get("security")))}
    for each in operation.get("parameters", ()):
        name = each["name"]
        if each["in"] == "query" and not (is_page and name == "cursor"):
            local = {"limit": "page_size", "from": "since", "to": "until"}.get(name, name.replace("-", "_"))
            local = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", local).lower()
            keywords.append(f"{local}: {parameter_type(each['schema'], required=each.get('required', False))}")
            query[name] = local
        elif name == "If-Match":
            keywords.append("version: Version")
            call["version"] = "version"
        elif each["in"] == "header" and name not in {"If-None-Match", "Idempotency-Key"}:
            local = name.lower().replace("-", "_").removeprefix("mik_")
            keywords.append(f"{local}: str | None = None")
            call["headers"] = f"{{{name!r}: {local}}}"
    if query:
        call["query"] = "{" + ", ".join(f"{key!r}: {local}" for key, local in query.items()) + "}"
    positional += body(operation, schemas, keywords, call)
    if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", ())):
        keywords.append("idempotency_key: str | None = None")
        call["key"] = "idempotency_key"
        call["keyed"] = "True"
    if method == "GET" or operation["operationId"] in READS:
        call["repeatable"] = "True"
    return positional, keywords, call


def body(operation: Json, schemas: Json, keywords: list[str], call: dict[str, str]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    is_needed = operation.get("requestBody", {}).get("required", False)
    form = content.get("multipart/form-data") or content.get("application/x-www-form-urlencoded")
    if form is None and "application/json" in content:
        shape = python_type(content["application/json"]["schema"], "m.", items="Sequence")
        is_model = shape.startswith("m.")
        shape = shape if is_model else "Mapping[str, Any]"
        yield f"body: {shape}" if is_needed else f"body: {shape} | None = None"
        call["body"] = "body"
    elif form is not None:
        schema = form["schema"]
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        fields = []
        for name, part in schema["properties"].items():
            if name in {"file", "photo"}:
                keywords.insert(0, f"{name}: Upload" + ("" if name in schema.get("required", ()) else " | None = None"))
                call["files"] = f"{{{name!r}: {name}}}"
                continue
            kind = parameter_type(part, required=name in schema.get("required", ()))
            if part.get("description", "").startswith("JSON object"):
                kind = kind.replace("str", "Mapping[str, Any] | str")
            keywords.append(f"{name}: {kind}")
            fields.append(f"{name!r}: {name}")
        call["form"] = "{" + ", ".join(fields) + "}"


def parameter_type(schema: Json, *, required: bool) -> str:
    kind = python_type(schema, "m.", items="Sequence")
    if '"date' in json.dumps(schema):
        kind = kind.replace("str", "datetime | date | str")
    return kind if required else f"{kind.removesuffix(' | None')} | None = None"


def answer(operation: Json, schemas: Json) -> tuple[str, str, str]:
    """Return how the answer is read, its type, and the media type to ask for."""
    content = next(part for status, part in operation["responses"].items() if status.startswith("2")).get("content")
    if not content:
        return "run", "None", "application/json"
    media = next((each for each in content if each.endswith("json") and "x-nd" not in each), next(iter(content)))
    schema = content[media].get("schema", {})
    if media == "application/json" or media.endswith("+json"):
        name = schema.get("$ref", "").rpartition("/")[2]
        if name.startswith("Page_") and any(each["name"] == "cursor" for each in operation.get("parameters", ())):
            return "pages", python_type(schemas[name]["properties"]["items"]["items"], "m."), media
        if name.startswith("Page_"):
            return "all_of", python_type(schemas[name]["properties"]["items"]["items"], "m."), media
        if [each for each in python_type(schema).split(" | ") if each.startswith("Page_")]:
            return "pages", "dict[str, Any]", media
        return "run", python_type(schema, "m.") if name else "dict[str, Any]", media
    return "text" if media.endswith(WHOLE_TEXTS) else "stream", "", media if len(content) == 1 else "*/*"


def docstring(text: str, indent: str) -> str:
    words = text.strip().replace("\\", "\\\\").replace('"""', "”")
    if not words:
        return ""
    lines = [each for part in words.split("\n") for each in (textwrap.wrap(part, 116 - len(indent)) or [""])]
    end = "\n" if len(lines) > 1 or words.endswith('"') else ""
    return textwrap.indent(f'"""{chr(10).join(lines)}{end}"""\n', indent)


if __name__ == "__main__":
    main()
