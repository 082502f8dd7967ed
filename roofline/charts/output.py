"""Writing: all or nothing of each file, and nothing left of charts that are no longer drawn."""
import os
import pathlib

from .errors import BadInput


def write(folder: pathlib.Path, files: dict[str, bytes], stale: list[str]) -> None:
    """Each file to a temporary name first; `stale` are removed. Raises BadInput that names the
    folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            temporary = folder / f"{name}.tmp"
            try:
                temporary.write_bytes(content)
                os.replace(temporary, folder / name)
            finally:
                temporary.unlink(missing_ok=True)
        for name in stale:
            (folder / name).unlink(missing_ok=True)
    except OSError as e:
        raise BadInput(f"{folder}: charts cannot be written there: {e.strerror or e}; name another "
                       "folder with --out") from e


def check(folder: pathlib.Path) -> None:
    """Whether a folder can be written, before the time for drawing is spent."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise BadInput(f"{folder}: charts cannot be written there: {there} is not a folder; name "
                       "another with --out")
    if not os.access(there, os.W_OK | os.X_OK):
        raise BadInput(f"{folder}: charts cannot be written there: no permission to write in "
                       f"{there}; name another with --out")
