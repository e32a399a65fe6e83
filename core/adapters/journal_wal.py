"""What SQLite keeps silent about its write-ahead log.

On opening, SQLite takes the log's frames up to the first one whose checksum is wrong, and forgets the rest. After a
power cut that is right: the last transaction may be half written. But every commit here is synced before the next
one begins, so a frame *behind a later commit* proves that what is missing had been acknowledged: it was damaged, not
torn. The number of frames that SQLite accepted stands in the shared index file (``-shm``) of an open connection.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

_HEADER, _FRAME = 32, 24  # bytes
_MAGIC = (0x377F0682, 0x377F0683)


def lost_frames(journal: Path) -> str:
    """One line naming what is lost in the log, or "". Call while a connection is open and has read. Never raises."""
    try:
        accepted = _accepted(journal.with_name(journal.name + "-shm"))
        with open(journal.with_name(journal.name + "-wal"), "rb") as log:
            size = log.seek(0, 2)
            log.seek(0)
            header = log.read(_HEADER)
            if len(header) < _HEADER or size < _HEADER + _FRAME:
                return ""
            magic, _, page = struct.unpack(">III", header[:12])
            if magic not in _MAGIC or not 512 <= page <= 65536:
                return "the header of journal.db-wal is damaged: everything in it is lost"
            return _lost_behind(log.fileno(), size, page, header[16:24], accepted)
    except (OSError, struct.error):
        return ""


def _accepted(index: Path) -> int:
    """Frames in the log that SQLite reads: mxFrame of the index header."""
    with open(index, "rb") as file:
        return int(struct.unpack("=I", file.read(20)[16:20])[0])


def _lost_behind(handle: int, size: int, page: int, salts: bytes, accepted: int) -> str:
    frames = (size - _HEADER) // (_FRAME + page)
    behind, committed = 0, False
    for index in range(accepted, frames):
        frame = os.pread(handle, _FRAME, _HEADER + index * (_FRAME + page))
        if frame[8:16] != salts:
            continue  # left over from before the log was restarted, or hit itself
        if committed:
            behind += 1
        committed = committed or frame[4:8] != b"\0\0\0\0"
    if not behind:
        return ""
    return f"journal.db-wal is damaged at frame {accepted + 1}: {behind} later frames cannot be read"
