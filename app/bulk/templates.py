"""Write the templates of imports: header, explanations and closed lists, as CSV and XLSX."""

import io
from functools import cache

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation

from app.bulk.layouts import COMMENT_PREFIX, LAYOUTS, RECORD_COLUMN, ImportColumn, ImportKind, ImportLayout

HELP_SHEET = "help"
_MAX_LIST_CHARS = 255  # of a closed list that stands in a cell's rule
_TEXT_FORMAT = "@"


@cache
def csv_template(kind: ImportKind) -> bytes:
    """Return the CSV template with a byte order mark: a header, and lines of explanations, which are not imported."""
    layout = LAYOUTS[kind]
    lines = [",".join(layout.csv_columns)]
    if len(layout.sheets) > 1:
        records = ", ".join(sheet.record for sheet in layout.sheets)
        lines.append(_comment(f"{RECORD_COLUMN}: what the line is: {records}"))
    for sheet in layout.sheets:
        lines += [_comment(f"{sheet.record}.{_explain(column)}") for column in sheet.columns]
    padding = "," * (len(layout.csv_columns) - 1)
    return ("\ufeff" + "".join(f"{line}{padding if number else ''}\r\n" for number, line in enumerate(lines))).encode()


def _comment(text: str) -> str:
    return '"' + f"{COMMENT_PREFIX} {text}".replace('"', '""') + '"'


def _explain(column: ImportColumn) -> str:
    needed = " (required)" if column.is_required else ""
    values = f"; one of: {', '.join(column.values)}" if column.values else ""
    return f"{column.name}{needed}: {column.description}{values}"


@cache
def xlsx_template(kind: ImportKind) -> bytes:
    """Return the XLSX template: a sheet for each table, and a sheet with explanations and closed lists."""
    book = Workbook(write_only=True)
    layout = LAYOUTS[kind]
    for sheet in layout.sheets:
        page = book.create_sheet(sheet.name)
        for position, column in enumerate(sheet.columns):
            letter = chr(ord("A") + position)
            page.column_dimensions[letter].width = max(12, len(column.name) + 2)
            if column.type != "number":
                page.column_dimensions[letter].number_format = _TEXT_FORMAT  # or 0207 would become 207
            listed = ",".join(column.values)
            if column.values and column.type != "list" and len(listed) < _MAX_LIST_CHARS:
                rule = DataValidation(type="list", formula1=f'"{listed}"', allow_blank=True)
                rule.add(f"{letter}2:{letter}10001")
                page.data_validations.append(rule)
        header = []
        for column in sheet.columns:
            cell = WriteOnlyCell(page, column.name)
            cell.font = Font(bold=True)
            header.append(cell)
        page.freeze_panes = "A2"
        page.append(header)
    _append_help(book, layout)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _append_help(book: Workbook, layout: ImportLayout) -> None:
    page = book.create_sheet(HELP_SHEET)
    page.column_dimensions["D"].width = 70
    page.append(["sheet", "column", "required", "explanation", "allowed values"])
    for sheet in layout.sheets:
        for column in sheet.columns:
            needed = "yes" if column.is_required else ""
            page.append([sheet.name, column.name, needed, column.description, *column.values])
