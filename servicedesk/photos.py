"""Photos of owners and technicians: known by their content, and kept without what the camera wrote about itself.

One thing of that is kept: which way is up. It is written anew, alone, so that a photo taken on its side is upright.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from datetime import datetime
from uuid import UUID

from servicedesk.care_rows import Photo
from servicedesk.errors import DeskError
from servicedesk.office import Office

MOST_BYTES = 700_000
"""The largest photo that is taken."""
MOST_PHOTOS = 20
"""How many photos a ticket holds."""
ADDED = "photo"
"""Timeline: a photo was added."""
_PNG = b"\x89PNG\r\n\x1a\n"
# Of PNG what is needed to draw the picture; text, time and EXIF are not.
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"})
_WEBP_DROPPED = frozenset({b"EXIF", b"XMP "})
_WEBP_FLAGS = 0x2C  # of VP8X: EXIF 0x08, XMP 0x04, ICC profile 0x20, whose chunk goes as well
_WEBP_HAS_EXIF = 0x08
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_UPRIGHT = 1
_TURNS = range(2, 9)
_SOI, _SOS, _EOI = 0xD8, 0xDA, 0xD9
_ADOBE = 0xEE


class PhotoError(DeskError):
    """It is no picture that we take."""


def add_photo(office: Office, ticket_id: UUID, content: bytes, now: datetime, actor: str) -> Photo:
    """Put a photo on a ticket; the same one again changes nothing.

    Raises:
        UnknownError: there is no such ticket.
        PhotoError: too large, too many, or no JPEG, PNG or WebP.
    """
    help_, ticket = office.desk.care.help, office.desk.tickets.get(ticket_id)
    media, clean = stripped(content)
    known = help_.photos(ticket.id)
    digest = hashlib.sha256(clean).hexdigest()
    again = next((each for each in known if each.sha256 == digest), None)
    if again is not None:
        return again
    if len(known) >= MOST_PHOTOS:
        raise PhotoError(f"a ticket holds {MOST_PHOTOS} photos")
    photo = Photo(id=office.new_id(), ticket=ticket.id, at=now, actor=actor, media=media, sha256=digest, content=clean)
    if help_.add_photo(photo):
        office.log(ticket.id, now, ADDED, actor, photo=str(photo.id), media=media, bytes=len(clean))
    return photo


def stripped(content: bytes) -> tuple[str, bytes]:
    """The media type that the content itself shows, and the content without metadata and without what follows its end.

    Raises:
        PhotoError: too large, or no whole JPEG, PNG or WebP.
    """
    if len(content) > MOST_BYTES:
        raise PhotoError(f"a photo holds at most {MOST_BYTES} bytes; this one has {len(content)}")
    try:
        if content.startswith(b"\xff\xd8\xff"):
            return "image/jpeg", _jpeg(content)
        if content.startswith(_PNG):
            return "image/png", _png(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return "image/webp", _webp(content)
    except (struct.error, IndexError) as cause:
        raise PhotoError("the picture is cut off or damaged") from cause
    raise PhotoError("a photo is a JPEG, a PNG or a WebP by its content, whatever its name says")


def _jpeg(content: bytes) -> bytes:
    """ITU-T T.81 B.1: segments up to the scan, then the scans; APPn but JFIF and Adobe's colour, and comments, go."""
    kept, at, way = [content[:2]], 2, _UPRIGHT
    while True:
        if content[at] != 0xFF:  # noqa: PLR2004  (a marker begins so)
            raise PhotoError("the picture is cut off or damaged")
        marker = content[at + 1]
        (length,) = struct.unpack_from(">H", content, at + 2)
        segment = content[at : at + 2 + length]
        if len(segment) != 2 + length or length < 2:  # noqa: PLR2004  (the length counts itself)
            raise PhotoError("the picture is cut off or damaged")
        if segment[4:10] == _EXIF and marker == 0xE1:  # noqa: PLR2004  (APP1)
            way = _orientation(segment[10:])
        app, comment = 0xE1 <= marker <= 0xEF and marker != _ADOBE, marker == 0xFE  # noqa: PLR2004  (likewise)
        if not app and not comment:
            kept.append(segment)
        at += 2 + length
        if marker == _SOS:
            break
    end = content.rfind(bytes((0xFF, _EOI)))
    if end < at:
        raise PhotoError("the picture is cut off or damaged")
    if way != _UPRIGHT:
        told = _EXIF + _turned(way)
        kept.insert(1, struct.pack(">HH", 0xFFE1, 2 + len(told)) + told)
    return b"".join([*kept, _scans(content[at : end + 2])])


def _orientation(tiff: bytes) -> int:
    """The orientation that EXIF names (CIPA DC-008, 4.6.5.1.6); upright where it says nothing that can be read."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return _UPRIGHT
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(count):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
            if (tag, kind, values) == (_ORIENTATION, 3, 1):
                return value if value in _TURNS else _UPRIGHT
    except struct.error:
        pass
    return _UPRIGHT


def _turned(way: int) -> bytes:
    """EXIF that says nothing but an orientation: a TIFF header and one directory of one entry."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, way, 0, 0)


def _scans(data: bytes) -> bytes:
    """Entropy-coded data up to the first end of image: what was hung on behind it goes."""
    at = 0
    while (at := data.find(b"\xff", at)) != -1 and at + 1 < len(data):
        if data[at + 1] == _EOI:
            return data[: at + 2]
        at += 2
    raise PhotoError("the picture is cut off or damaged")


def _png(content: bytes) -> bytes:
    """PNG 1.2, 3: chunks of length, type, data and CRC."""
    kept, at = [_PNG], len(_PNG)
    while True:
        length, name = struct.unpack_from(">I4s", content, at)
        chunk = content[at : at + 12 + length]
        (crc,) = struct.unpack_from(">I", chunk, 8 + length)
        if zlib.crc32(chunk[4 : 8 + length]) != crc:
            raise PhotoError("the picture is cut off or damaged")
        if name in _PNG_KEPT:
            kept.append(chunk)
        elif name == b"eXIf" and (way := _orientation(chunk[8 : 8 + length])) != _UPRIGHT:
            told = b"eXIf" + _turned(way)
            kept.append(struct.pack(">I", len(told) - 4) + told + struct.pack(">I", zlib.crc32(told)))
        at += 12 + length
        if name == b"IEND":
            return b"".join(kept)


def _webp(content: bytes) -> bytes:
    """RIFF chunks of a name, a length and data, padded to even."""
    (size,) = struct.unpack_from("<I", content, 4)
    if size + 8 > len(content):
        raise PhotoError("the picture is cut off or damaged")
    kept: list[bytes] = []
    at, way, head = 12, _UPRIGHT, -1
    while at < size + 8:
        name, length = struct.unpack_from("<4sI", content, at)
        padded = length + length % 2
        data = content[at + 8 : at + 8 + padded]
        if len(data) < length:
            raise PhotoError("the picture is cut off or damaged")
        if name == b"EXIF":
            way = _orientation(data.removeprefix(_EXIF))
        if name == b"VP8X":
            head = len(kept)
            data = bytes((data[0] & ~_WEBP_FLAGS,)) + data[1:]
        if name not in _WEBP_DROPPED and name != b"ICCP":
            kept.append(struct.pack("<4sI", name, length) + data)
        at += 8 + padded
    if way != _UPRIGHT and head >= 0:
        flags = kept[head]
        kept[head] = flags[:8] + bytes((flags[8] | _WEBP_HAS_EXIF,)) + flags[9:]
        told = _turned(way)
        kept.append(struct.pack("<4sI", b"EXIF", len(told)) + told)
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body
