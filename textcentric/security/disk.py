"""Why a disk took no more, in whatever words a library says so, and how people are told."""

from __future__ import annotations

import errno
import os

FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
WORDS = {
    **{os.strerror(number): number for number in FAULTS},
    **{f"os error {number})": number for number in FAULTS},  # what Rust says
    "database or disk is full": errno.ENOSPC,
    "attempt to write a readonly database": errno.EROFS,
    "PytorchStreamWriter failed": errno.ENOSPC,
    "inline_container.cc": errno.ENOSPC,  # what torch says where its archive is cut
    " requested and ": errno.ENOSPC,  # what numpy says
}


def not_written(path: object, why: str) -> str:
    """Say that `path` cannot be written, why, and what to do."""
    return (
        f"cannot write {path} ({why}); free space on the disk or check the folder's"
        " permissions, then run the same command again to go on"
    )


def why_not_written(error: BaseException | None) -> str:
    """Return why a disk took no more, "" where the error is of another kind.

    Libraries tell of it in exceptions of their own, some with no more than a sentence.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in FAULTS:
            return os.strerror(error.errno)
        for words, number in WORDS.items():
            if words in str(error):
                return os.strerror(number)
        error = error.__cause__ or error.__context__
    return ""
