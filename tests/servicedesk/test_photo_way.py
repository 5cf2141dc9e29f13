"""A photo keeps which way is up, and nothing else that the camera wrote."""

from __future__ import annotations

import struct
import zlib

import pytest

from servicedesk.photos import stripped

_SECRET = b"31.2304N121.4737E"


def exif(way: int, order: str = "<") -> bytes:
    """EXIF of a camera: its name, the orientation, and where it was."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [struct.pack(f"{order}HHI4s", 0x010F, 2, 4, b"Cam\0"), struct.pack(f"{order}HHIHH", 0x0112, 3, 1, way, 0)]
    entries.append(struct.pack(f"{order}HHI4s", 0x8825, 4, 1, b"\0\0\0\0"))
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + b"".join(entries) + b"\0\0\0\0" + _SECRET


def jpeg(tiff: bytes) -> bytes:
    told = b"Exif\0\0" + tiff
    scan = b"\xff\xda\x00\x04\x01\x00" + b"\x12\x34" + b"\xff\xd9"
    return b"\xff\xd8" + struct.pack(">HH", 0xFFE1, 2 + len(told)) + told + scan


def png(tiff: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    inside = chunk(b"IHDR", head) + chunk(b"eXIf", tiff) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + inside


def webp(tiff: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    inside = b"WEBP" + chunk(b"VP8X", b"\x08" + b"\0" * 9) + chunk(b"VP8L", b"ab") + chunk(b"EXIF", tiff)
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


@pytest.mark.parametrize("make", [jpeg, png, webp])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_turned_photo_stays_upright_and_says_nothing_else(make: object, order: str) -> None:
    assert callable(make)
    _, clean = stripped(make(exif(6, order)))
    assert _SECRET not in clean
    assert b"Cam" not in clean
    assert struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) in clean
    assert stripped(clean)[1] == clean


@pytest.mark.parametrize("make", [jpeg, png, webp])
@pytest.mark.parametrize("way", [0, 1, 9, 65535])
def test_an_upright_photo_keeps_nothing(make: object, way: int) -> None:
    assert callable(make)
    _, clean = stripped(make(exif(way)))
    assert b"II*" not in clean
    assert _SECRET not in clean


@pytest.mark.parametrize("tiff", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"GP"])
def test_what_cannot_be_read_is_upright(tiff: bytes) -> None:
    _, clean = stripped(jpeg(tiff))
    assert clean == b"\xff\xd8\xff\xda\x00\x04\x01\x00\x12\x34\xff\xd9"
