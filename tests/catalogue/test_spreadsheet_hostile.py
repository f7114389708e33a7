"""Workbooks that mean harm, or that are none."""

import io
import zipfile

import pytest
from openpyxl import Workbook

from catalogue.entry import sheet_files, spreadsheet
from catalogue.models import ProposedChange
from core.errors import Invalid
from tests.catalogue.test_spreadsheet import AT, saved

pytestmark = pytest.mark.django_db


def bomb(part="xl/worksheets/sheet1.xml", content=b"0" * 1_000, times=120_000, extra=0):
    """A workbook of which one part unpacks to very much."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", "<workbook/>")
        with packed.open(part, "w", force_zip64=True) as stream:
            for _ in range(times):
                stream.write(content)
        for number in range(extra):
            packed.writestr(f"xl/media/{number}.png", b"")
    return out.getvalue()


def with_entities():
    book = saved(Workbook())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(out, "w") as target:
        for part in source.namelist():
            data = source.read(part)
            if part == "xl/worksheets/sheet1.xml":
                laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
                data = data.replace(b"<worksheet", laughs + b"<worksheet", 1)
            target.writestr(part, data)
    return out.getvalue()


HOSTILE = {
    "nothing": lambda: b"",
    "text": lambda: b"Id,Name\n1,2\n",
    "not a zip": lambda: b"PK\x03\x04" + b"\0" * 500,
    "a zip of something else": lambda: _zip({"readme.txt": b"hello"}),
    "half a workbook": lambda: saved(Workbook())[:2_000],
    "a zip bomb": bomb,
    "very many parts": lambda: bomb(times=1, extra=300),
    "an XML bomb": with_entities,
    "no headings": lambda: saved(Workbook()),
    "broken XML": lambda: _zip({"xl/workbook.xml": b"<workbook", "[Content_Types].xml": b"<Types"}),
    "too large": lambda: b"0" * (spreadsheet.LARGEST + 1),
}


def _zip(parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_in_words_and_nothing_is_kept(provider, kind):
    with pytest.raises(Invalid):
        sheet_files.upload(data=HOSTILE[kind](), by=provider, at=AT)
    assert not ProposedChange.objects.exists()


def test_too_many_rows_are_refused(provider, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MOST_ROWS", 2)
    book = Workbook()
    for line in (["Id", "Name"], ["", "One"], ["", "Two"], ["", "Three"]):
        book.active.append(line)
    with pytest.raises(Invalid, match="more than 2 rows"):
        sheet_files.upload(data=saved(book), by=provider, at=AT)
