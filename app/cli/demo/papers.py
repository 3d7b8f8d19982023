"""What a company lays before the house: a line of the products file as the API takes it, and small PDF files.

The figures of the file are kept exactly: what the foreign materials cost is split over their headings, and the cost by
place has the file's percentages. So the rules see through the API what they see in the file.
"""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

CENT = Decimal("0.01")
FOOD_CHAPTERS = frozenset(f"{chapter:02d}" for chapter in range(1, 26))
SWEETENER = "1701"
AUXILIARY = "2710"  # a file may name a value of foreign materials and no heading: lubricants and the like
FROM_ABROAD = "TR"
NOTHING_REAL = "Sample without meaning"

WORK: Mapping[str, tuple[str, str]] = {
    "04": ("Extracting and filtering", "extraction"),
    "20": ("Cooking and filling", "cooking"),
    "24": ("Threshing and stemming", "stemming"),
    "32": ("Dosing and mixing to recipe", "mixing"),
    "38": ("Dosing and mixing to recipe", "mixing"),
    "39": ("Extrusion", "extrusion"),
    "48": ("Printing and embossing", "printing"),
    "57": ("Tufting and backing", "tufting"),
    "64": ("Cutting, stitching and lasting", "lasting"),
    "68": ("Forming and curing", "curing"),
    "72": ("Roll forming", "roll forming"),
    "73": ("Cutting, forming and welding", "welding"),
    "84": ("Machining and building", "machining"),
    "85": ("Wiring and testing", "wiring"),
    "94": ("Building and testing", "building"),
}
"""Chapter → name and kind of the essential step."""


def product_body(row: Mapping[str, str], site: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the products file, made at this site, as `POST /v1/products` takes it."""
    flags = [flag for flag in _listed(row["flags"]) if not flag.startswith("joint_production_")]
    partners = [flag.rpartition("_")[2].upper() for flag in _listed(row["flags"]) if flag not in flags]
    return {
        "names": {"az": row["name_az"], "en": row["name_en"]},
        "hs6": row["hs6"],
        "unit": row["unit"],
        "site_id": site["id"],
        "gtin": row["sample_gtin13"] or None,
        "reference": row["product_id"],
        "flags": flags,
        "joint_production": partners,
        "annual_capacity": row["annual_capacity"] or None,
        "ex_works": row["ex_works_azn"],
        "materials": _materials(row),
        "steps": _steps(row["hs6"][:2], site["district"]),
        "costs": _costs(row),
    }


def _materials(row: Mapping[str, str]) -> list[dict[str, Any]]:
    headings, foreign_value = list(_listed(row["nonorig_input_hs4"])), Decimal(row["vnm_azn"])
    local = Decimal(row["az_raw_weight_pct"]) if row["az_raw_weight_pct"] else None
    foreign_weight = None if local is None else 100 - local
    if foreign_weight and not any(heading[:2] in FOOD_CHAPTERS for heading in headings):
        headings.append(SWEETENER)
    if foreign_value and not headings:
        headings.append(AUXILIARY)
    lines = [
        _material("Material", heading, FROM_ABROAD, value, foreign_weight if heading[:2] in FOOD_CHAPTERS else None)
        for heading, value in zip(headings, _split(foreign_value, len(headings)), strict=True)
    ]
    if local is not None or not lines:
        value = (Decimal(row["ex_works_azn"]) - foreign_value) / 4
        lines.append(_material("Local raw material", row["hs6"][:4], "AZ", value.quantize(CENT), local))
    return lines


def _material(name: str, hs4: str, country: str, value: Decimal, weight: Decimal | None) -> dict[str, Any]:
    return {
        "name": f"{name} of heading {hs4}",
        "hs4": hs4,
        "origin_country": country,
        "originating": country == "AZ",
        "value": str(value),
        "weight_kg": None if weight is None else str(weight),
    }


def _split(total: Decimal, parts: int) -> list[Decimal]:
    """Equal parts in whole cents; the last takes what is left, so that the sum is exact."""
    if not parts:
        return []
    each = (total / parts).quantize(CENT, ROUND_DOWN)
    return [each] * (parts - 1) + [total - each * (parts - 1)]


def _steps(chapter: str, district: str) -> list[dict[str, Any]]:
    name, operation = WORK.get(chapter, ("Manufacture", "manufacture"))
    work = (("Preparing the materials", "preparation", False), (name, operation, True), ("Packing", "packing", False))
    return [
        {"name": name, "operation": operation, "country": "AZ", "district": district, "is_essential": essential}
        for name, operation, essential in work
    ]


def _costs(row: Mapping[str, str]) -> list[dict[str, str]]:
    """The price, divided by place as the file's percentages say."""
    price, karabakh = Decimal(row["ex_works_azn"]), Decimal(row["karabakh_cost_pct"])
    country = Decimal(row["azerbaijan_cost_pct"])
    by_place = (
        ("labour", "KARABAKH", karabakh),
        ("energy", "AZ_OTHER", country - karabakh),
        ("materials", "ABROAD", 100 - country),
    )
    return [{"kind": kind, "place": place, "amount": f"{price * pct / 100:f}"} for kind, place, pct in by_place if pct]


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(";") if word.strip())


def small_pdf(*lines: str) -> bytes:
    """A valid PDF of one page with these lines. The same lines give the same bytes: sent twice it is kept once."""
    shown = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
    content = f"BT /F1 12 Tf 16 TL 72 760 Td {shown} ET".encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    file, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return file + end + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(file))


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
