"""What a file is, by what is in it: its name and what a browser says of it are not asked.

Pictures are painted anew, so that nothing can be hidden in them. Of the others only whole files of a few plain kinds are taken: nothing may
stand before or after them, so that no file is two kinds at once, and packed ones are unpacked with a limit before they are believed.
"""

import io
import re
import unicodedata
import warnings
import zipfile
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import Invalid

MEGABYTE = 1024 * 1024
#: A picture with more pixels is refused before any of them is unpacked.
MOST_PIXELS = 50_000_000
#: Of a packed document: parts, and what all of them unpack to.
MOST_PARTS = 2_000
MOST_UNPACKED = 100 * MEGABYTE
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OPEN_TEXT = "application/vnd.oasis.opendocument.text"

#: The endings by which computers know what is kept.
SUFFIXES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "text/plain": "txt", WORD: "docx", OPEN_TEXT: "odt"}

NO_PICTURE = "That is not a picture that we can read. Send a photo as JPEG, PNG or WebP."
NO_PDF = "That is not a whole PDF. Save the document as PDF, then send it again."
NO_KIND = "That is not a file that we take. Send a PDF, a photo (JPEG or PNG), a Word or OpenDocument text, or plain text."
NO_WORD = "That document cannot be read. Save it as PDF, then send that."
HAS_PROGRAM = "There is a program (macro) in that document, or it fetches a part of itself from elsewhere. Save it as PDF, then send that."
_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|iframe|object|embed|\?xml|meta|img)\b|%PDF-", re.I)
_EXTERNAL = re.compile(rb"""TargetMode\s*=\s*["']External["']""", re.I)
_MAIN_PART = b'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"'


@dataclass(frozen=True, slots=True)
class Checked:
    """What is kept: the bytes, the kind of content, and the ending by which computers know it."""

    data: bytes
    content_type: str
    suffix: str


def document(data: bytes) -> Checked:
    """A PDF, picture, text document or plain text. Raises Invalid with words for whoever sent it."""
    if data.startswith(b"%PDF-"):
        return Checked(pdf(data), "application/pdf", "pdf")
    if data.startswith(b"\xff\xd8\xff"):
        return Checked(picture(data, side=4_000, formats=("JPEG",)), "image/jpeg", "jpg")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Checked(picture(data, side=4_000, formats=("PNG",), keep=True), "image/png", "png")
    if data.startswith(b"PK"):
        return _packed(data)
    return Checked(_plain(data), "text/plain", "txt")


def picture(data: bytes, *, side: int, formats: tuple[str, ...] = ("JPEG", "PNG", "WEBP"), keep: bool = False) -> bytes:
    """The picture painted anew: upright, no larger than `side`, without where it was taken or anything else hidden in it.

    As JPEG; with `keep` as PNG, which loses nothing of a scan. Raises Invalid.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=formats) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Invalid("That picture has too many pixels. Make it smaller, then send it again.", field="file")
                image.draft("RGB", (2 * side, 2 * side))
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((side, side))
                flat = Image.new("RGB", upright.size, "white")
                with_alpha = upright.convert("RGBA")
                flat.paste(with_alpha, mask=with_alpha.getchannel("A"))
    except (UnidentifiedImageError, Image.DecompressionBombError, Warning, OSError, ValueError, SyntaxError, EOFError) as error:
        raise Invalid(NO_PICTURE, field="file") from error
    out = io.BytesIO()
    if keep:
        flat.save(out, "PNG", optimize=False)
    else:
        flat.save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def pdf(data: bytes) -> bytes:
    """A whole PDF with nothing after its end. Raises Invalid."""
    _, end, after = data.rpartition(b"%%EOF")
    if not data.startswith(b"%PDF-") or not end or after.strip(b"\r\n\t \0"):
        raise Invalid(NO_PDF, field="file")
    return data


def _packed(data: bytes) -> Checked:
    """A Word or OpenDocument text: a ZIP of the right parts, with no program in it, that is no larger unpacked than it may be."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
            names = {part.filename for part in parts}
            _check_packing(data, packed, parts)
            if "[Content_Types].xml" in names and "word/document.xml" in names:
                _check_word(packed, names)
                return Checked(data, WORD, "docx")
            if parts and parts[0].filename == "mimetype" and packed.read("mimetype") == OPEN_TEXT.encode() and "content.xml" in names:
                if any(name.startswith(("Basic/", "Scripts/")) for name in names):
                    raise Invalid(HAS_PROGRAM, field="file")
                return Checked(data, OPEN_TEXT, "odt")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError, zlib.error) as error:
        raise Invalid(NO_WORD, field="file") from error
    raise Invalid(NO_KIND, field="file")


def _check_packing(data: bytes, packed: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuse a bomb, an encrypted part, a path that leads out, one name twice, and a ZIP with anything before or after it."""
    whole = (
        data.startswith(b"PK\x03\x04") and data[-22:-18] == b"PK\x05\x06" and min((part.header_offset for part in parts), default=1) == 0
    )
    twice = len({part.filename for part in parts}) < len(parts)
    astray = any(part.filename.startswith("/") or ".." in part.filename.split("/") or "\\" in part.filename for part in parts)
    if not whole or twice or astray or len(parts) > MOST_PARTS or any(part.flag_bits & 0x1 for part in parts):
        raise Invalid(NO_WORD, field="file")
    left = MOST_UNPACKED
    if sum(part.file_size for part in parts) > left:
        raise Invalid("That document is too large when it is unpacked. Save it as PDF, then send that.", field="file")
    for part in parts:
        with packed.open(part) as stream:  # what it says of its size may be a lie
            while block := stream.read(MEGABYTE):
                left -= len(block)
                if left < 0:
                    raise Invalid("That document is too large when it is unpacked. Save it as PDF, then send that.", field="file")


def _check_word(packed: zipfile.ZipFile, names: set[str]) -> None:
    if _MAIN_PART not in packed.read("[Content_Types].xml"):
        raise Invalid(HAS_PROGRAM, field="file")
    if any(name.lower().endswith((".bin", ".exe", ".dll", ".vbs", ".js")) or "activex" in name.lower() for name in names):
        raise Invalid(HAS_PROGRAM, field="file")
    # A template, picture or frame from elsewhere is fetched when the document is opened. A link in the text is not.
    for name in names:
        if name.endswith(".rels"):
            for relation in re.findall(rb"<Relationship\b[^>]*>", packed.read(name)):
                if _EXTERNAL.search(relation) and b"/hyperlink" not in relation:
                    raise Invalid(HAS_PROGRAM, field="file")


def _plain(data: bytes) -> bytes:
    """Text that people read: no control characters, and nothing that a browser could take for a page."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(NO_KIND, field="file") from error
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\r\t\f" for letter in text) or _MARKUP.search(data):
        raise Invalid(NO_KIND, field="file")
    return data
