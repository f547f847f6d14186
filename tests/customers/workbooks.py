"""Spreadsheets written by hand, to be as wrong as one likes."""

from __future__ import annotations

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def packed(sheet: str | bytes, strings: str = "", **others: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", '<Relationships><Relationship Id="rId1" Target="sheet.xml"/></Relationships>'
        )
        archive.writestr("xl/sheet.xml", sheet)
        if strings:
            archive.writestr("xl/sharedStrings.xml", strings)
        for name, content in others.items():
            archive.writestr(name, content)
    return file.getvalue()


def data(rows: str) -> str:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
