"""The parts of a zip archive, each within a size that is known before: no name leads anywhere, nothing is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator

from lumiscope.server.hand_ins.faults import THE_FILE, Faults

START = b"PK\x03\x04"
END = b"PK\x05\x06"
END_SIZE = 22
ENTRY = 2**11  # bytes that an entry of the directory may take
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1


def zip_parts(content: bytes, ending: str, most: int, part_bytes: int, faults: Faults) -> Iterator[tuple[str, bytes]]:
    """(name without `ending`, content) of each part; what is wrong with one is added to `faults`.

    `most`: parts that there may be. `part_bytes`: that one of them may have, unpacked; no more is ever unpacked of it,
    whatever the directory says, so that an archive cannot grow beyond most * part_bytes. Errors: `HandInRefused`.
    """
    archive = _opened(content, most, faults)
    for entry in archive.infolist():
        name = entry.filename
        if "/" in name or "\\" in name or name.startswith(".") or not name.endswith(ending) or len(name) > 255:
            faults.add(name, f"an image's name with {ending}, in no folder", "another name")
        elif entry.compress_type not in COMPRESSIONS or entry.flag_bits & ENCRYPTED:
            faults.add(name, "a part that is stored or deflated, without a password", "another one")
        elif entry.file_size > part_bytes:
            faults.add(name, f"at most {part_bytes:,} bytes", f"{entry.file_size:,}")
        else:
            try:
                with archive.open(entry) as part:
                    unpacked = part.read(part_bytes + 1)
            except Exception as error:  # whatever a broken archive makes of its readers
                faults.add(name, "a whole part", f"a damaged one ({error})")
                continue
            if len(unpacked) > part_bytes:
                faults.add(name, f"at most {part_bytes:,} bytes", "more than its directory says")
            else:
                yield name.removesuffix(ending), unpacked


def _opened(content: bytes, most: int, faults: Faults) -> zipfile.ZipFile:
    """The archive, where its end says that it is one, alone, with few entries. Errors: `HandInRefused`."""
    end = content[-END_SIZE:]
    if not content.startswith(START) or not end.startswith(END) or len(end) != END_SIZE:
        raise faults.stop(THE_FILE, "a zip archive, with nothing before or after it", "something else")
    here, total, size, offset = struct.unpack("<HHII", end[8:20])
    if here != total or total > most or size > total * ENTRY or offset + size + END_SIZE != len(content):
        raise faults.stop(THE_FILE, f"a zip archive of at most {most} parts and nothing else", f"one that says {total}")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        if len(archive.infolist()) != total:
            raise zipfile.BadZipFile("its directory has another number of entries than its end says")
    except Exception as error:  # whatever a broken archive makes of its readers
        raise faults.stop(THE_FILE, "a whole zip archive", f"a damaged one ({error})") from error
    return archive
