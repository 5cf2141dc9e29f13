"""The file of a life model: MessagePack of numbers and names, under a schema number and a hash. Nothing in it runs."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import msgspec
import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray

from detectors.rul.model import LifeModel
from detectors.rul.records import LifeError

_MAGIC = b"wellkept life model\n"
SCHEMA = 1
_KINDS = ("f8", "i4", "i2")
_LARGEST = 1 << 30


class _Header(msgspec.Struct, frozen=True):
    """Attributes: number of the layout; SHA-256 of the body; what the model was made with."""

    schema: int
    sha256: str
    made_with: dict[str, str]


def encode(model: LifeModel) -> bytes:
    """The file's bytes; the same model gives the same bytes."""
    body = zlib.compress(msgspec.msgpack.encode(model, enc_hook=_pack, order="deterministic"), 6)
    made_with = {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__}
    head = msgspec.json.encode(_Header(SCHEMA, hashlib.sha256(body).hexdigest(), made_with))
    return _MAGIC + head + b"\n" + body


def decode(content: bytes, name: str) -> LifeModel:
    """The model of a file.

    Args:
        content: its bytes.
        name: what the file is called, for the message.

    Raises:
        LifeError: it is none, is damaged, or has the layout of another version.
    """
    if not content.startswith(_MAGIC):
        raise LifeError(f"{name} is no life model: make one with `wellkept rul fit`")
    head, _, body = content[len(_MAGIC) :].partition(b"\n")
    try:
        header = msgspec.json.decode(head, type=_Header)
    except msgspec.MsgspecError as error:
        raise LifeError(f"{name}: its header cannot be read: {error}") from error
    if header.schema != SCHEMA:
        raise LifeError(
            f"{name} has layout {header.schema}, this version reads layout {SCHEMA}: "
            "fit it again with `wellkept rul fit`"
        )
    if hashlib.sha256(body).hexdigest() != header.sha256:
        raise LifeError(f"{name} is damaged: its hash does not fit its content")
    try:
        unpacked = zlib.decompressobj().decompress(body, _LARGEST)
        return msgspec.msgpack.decode(unpacked, type=LifeModel, dec_hook=_unpack)
    except (msgspec.MsgspecError, zlib.error, ValueError) as error:
        raise LifeError(f"{name}: its content cannot be read: {error}") from error


def _pack(value: object) -> object:
    if isinstance(value, np.ndarray):
        kind = value.dtype.str[1:]
        return {"kind": kind, "shape": list(value.shape), "data": value.astype(f"<{kind}").tobytes()}
    raise NotImplementedError(f"a model holds no {type(value).__name__}")


def _unpack(_type: type, value: Any) -> NDArray[Any]:  # noqa: ANN401  (what msgspec hands over)
    if not isinstance(value, dict) or value.get("kind") not in _KINDS:
        raise ValueError("an array of an unknown kind")
    found = np.frombuffer(value["data"], f"<{value['kind']}").astype(value["kind"])
    return found.reshape(value["shape"])
