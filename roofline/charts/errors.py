"""What goes wrong with a user's files, and how it is said."""
import json
import pathlib
from typing import Any


class BadInput(Exception):
    """Wrong use or a wrong file: what, where and what to do, in one line. Exit code 2."""


def read_json(path: pathlib.Path, remake: str) -> Any:
    """`remake` says how such a file is made."""
    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is not a JSON number")

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except OSError as e:
        raise BadInput(f"{path}: cannot be read: {e.strerror or e}; {remake}") from e
    except json.JSONDecodeError as e:
        raise BadInput(f"{path}:{e.lineno}: not whole JSON ({e.msg}); {remake}") from e
    except (ValueError, RecursionError) as e:
        raise BadInput(f"{path}: not JSON ({e}); {remake}") from e
