"""Text files as UTF-8, whatever they are written in; found, or declared, or refused."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAX_LINE_BYTES = 16 * 2**20
_CHUNK = 2**20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Refused(Exception):
    """The whole file cannot be landed; the message says why and names the column where there is one."""


@dataclass(frozen=True)
class Text:
    """A text file as UTF-8, and the encoding it came in."""

    path: Path
    encoding: str

    def last_line(self) -> str:
        """The last line that is not empty, without its line break; '' for an empty file."""
        tail = b""
        with open_bytes(self.path) as stream:
            if not is_gzip(self.path):
                stream.seek(max(0, self.path.stat().st_size - MAX_LINE_BYTES))
            while chunk := stream.read(_CHUNK):
                tail = chunk if b"\n" in chunk[:-2] else (tail + chunk)[-MAX_LINE_BYTES:]
        return tail.rstrip(b"\r\n \t").rsplit(b"\n", 1)[-1].decode(errors="replace")

    def size(self) -> int:
        """Bytes, unzipped."""
        with open_bytes(self.path) as stream:
            return (
                stream.seek(0, 2) if not is_gzip(self.path) else sum(map(len, iter(lambda: stream.read(_CHUNK), b"")))
            )

    def start(self) -> str:
        """The first character that is not a blank."""
        with open_bytes(self.path) as stream:
            while chunk := stream.read(_CHUNK).removeprefix(codecs.BOM_UTF8):
                if text := chunk.decode(errors="replace").strip():
                    return text[0]
        return ""


def is_gzip(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def as_utf8(path: Path, declared: str | None, folder: Path) -> Text:
    """The file if DuckDB can read it as it is, else a copy in `folder`; raises Refused if nobody knows its encoding."""
    encoding = _find_encoding(path, declared)
    if encoding != "utf-8":
        path = _recode(path, encoding, folder / "utf8")
    return Text(path, encoding.removesuffix("-sig"))


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unzipped. DuckDB takes a cut gzip file for a short one; this raises Refused."""
    try:
        with gzip.open(path) if is_gzip(path) else path.open("rb") as stream:
            yield stream
    except (OSError, EOFError, zlib.error) as error:
        raise Refused(f"the file cannot be read to its end, it may have been cut: {error}") from error


def _find_encoding(path: Path, declared: str | None) -> str:
    with open_bytes(path) as stream:
        start = stream.read(_CHUNK)
        for bom, encoding in _BOMS:
            if start.startswith(bom):
                return encoding
        if encoding := _utf_16_without_bom(start):
            return encoding
        try:
            _decode_all(start, stream)
            return "utf-8"
        except UnicodeDecodeError as error:
            if declared and declared not in ("utf-8", "utf-16"):
                return declared
            guess = " (it looks like windows-1251)" if looks_cyrillic(start) else ""
            raise Refused(
                f"the file is neither UTF-8 nor UTF-16{guess}; say what it is in the contract, "
                f"as in encoding: windows-1251 ({error.reason})"
            ) from None


def _decode_all(start: bytes, stream: IO[bytes]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk, unfinished = start, False
    while chunk:
        if unfinished or not chunk.isascii():
            decoder.decode(chunk)
            unfinished = bool(decoder.getstate()[0])
        chunk = stream.read(_CHUNK)
    decoder.decode(b"", final=True)


def _utf_16_without_bom(start: bytes) -> str | None:
    """Latin text in UTF-16 is half zeros: behind each letter, or before it."""
    sample = start[:4096]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < len(sample) * 0.2 or min(even, odd) > max(even, odd) / 10:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def looks_cyrillic(sample: bytes) -> bool:
    """Whether bytes beyond ASCII are Cyrillic words in windows-1251: its letters, in runs, mostly lower-case."""
    high = [byte for byte in sample[:65536] if byte >= 0x80]
    letters = [byte for byte in high if byte >= 0xC0 or byte in (0xA8, 0xB8)]
    small = [byte for byte in letters if byte >= 0xE0 or byte == 0xB8]
    common = [byte for byte in letters if byte in b"\xee\xe5\xe0\xe8\xed\xf2"]  # оеаинт
    return (
        len(letters) >= 20
        and len(letters) >= 0.95 * len(high)
        and len(small) >= 0.6 * len(letters)
        and len(common) >= 0.3 * len(letters)
    )


def _recode(path: Path, encoding: str, target: Path) -> Path:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open_bytes(path) as stream, target.open("wb") as out:
            while chunk := stream.read(_CHUNK):
                out.write(decoder.decode(chunk).encode())
            out.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as error:
        raise Refused(f"the file is not {encoding} to its end, it may have been cut: {error}") from error
    return target
