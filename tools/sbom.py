"""Write the bill of materials of the service (CycloneDX 1.6, JSON) from pyproject.toml and requirements.lock.

It lists every locked package with version, hashes and, where only some systems need it, the marker. The same lock gives
the same file: it contains no time and no random number.
"""

import json
import re
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).parents[1]
ENTRY = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ]+)(?: ; (?P<marker>[^\\\n]+?))?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n(?P<via>(?:    #.*\n)+)",
    flags=re.MULTILINE,
)


def bill_of_materials(pyproject: str, lock: str, wheel: Path | None = None) -> str:
    """Return the bill as JSON text; `wheel` is the built file of this version, whose hash it states."""
    project = tomllib.loads(pyproject)["project"]
    purl = PackageURL("pypi", None, project["name"], project["version"])
    service = Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        description=project["description"],
        purl=purl,
        bom_ref=purl.to_string(),
        licenses=[LicenseExpression(project["license"])],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256(wheel.read_bytes()).hexdigest())] if wheel else None,
    )
    packages = {entry["name"]: _component(entry) for entry in ENTRY.finditer(lock)}
    bom = Bom(components=packages.values(), serial_number=uuid5(NAMESPACE_URL, purl.to_string() + lock))
    bom.metadata.component = service
    users = {**packages, project["name"]: service}
    for entry in ENTRY.finditer(lock):
        for user in re.findall(r"#\s+(?:via )?([a-z0-9][a-z0-9._-]+)", entry["via"].replace("# via\n", "")):
            bom.register_dependency(users[user], [packages[entry["name"]]])
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _component(entry: re.Match[str]) -> Component:
    """Return a locked package as a component; the hashes of its files become properties."""
    purl = PackageURL("pypi", None, entry["name"], entry["version"])
    properties = [
        Property(name="mik:sha256-of-file", value=each) for each in re.findall(r"[0-9a-f]{64}", entry["hashes"])
    ]
    if entry["marker"]:
        properties.append(Property(name="mik:marker", value=entry["marker"]))
    return Component(
        type=ComponentType.LIBRARY,
        name=entry["name"],
        version=entry["version"],
        purl=purl,
        bom_ref=purl.to_string(),
        properties=properties,
    )


def main() -> None:
    """`python -m tools.sbom TARGET [WHEEL]`."""
    target, *wheels = map(Path, sys.argv[1:])
    pyproject, lock = ((ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "requirements.lock"))
    target.write_text(bill_of_materials(pyproject, lock, *wheels), "utf-8")
    sys.stdout.write(f"{target} is written.\n")


if __name__ == "__main__":
    main()
