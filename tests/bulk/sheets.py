"""Build the files that imports are tested with."""

import csv
import io

from openpyxl import Workbook

from app.bulk.layouts import LAYOUTS


def workbook(**sheets):
    """An XLSX file; each sheet is a list of mappings from column to value."""
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        columns = list(dict.fromkeys(column for row in rows for column in row))
        page.append(columns)
        for row in rows:
            page.append([row.get(column) for column in columns])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_file(rows, *, kind="products", delimiter=",", encoding="utf-8"):
    out = io.StringIO(newline="")
    columns = [name for name in LAYOUTS[kind].csv_columns if any(name in row for row in rows)]
    writer = csv.DictWriter(out, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def product_row(number, **changed):
    row = {"reference": f"P{number:05d}", "name_az": f"Boru {number}", "name_en": f"Tube {number}", "hs6": "730630"}
    return {**row, "unit": "t", "site": "Pipe mill, hall 2", "ex_works": "1450.00", **changed}


def material_row(number, **changed):
    row = {"reference": f"P{number:05d}", "name": "Hot-rolled coil", "hs4": "7208", "origin_country": "TR"}
    return {**row, "value": 830.1, "basis": "cif", "weight_kg": "1040", **changed}


def step_row(number, **changed):
    row = {"reference": f"P{number:05d}", "name": "Welding", "operation": "tube_welding", "country": "AZ"}
    return {**row, "district": "Ağdam", "is_essential": True, **changed}


def cost_row(number, **changed):
    return {"reference": f"P{number:05d}", "kind": "labour", "place": "KARABAKH", "amount": "310.00", **changed}
