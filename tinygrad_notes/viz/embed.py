"""What pages carry inside: the files of `assets/`, and data for their scripts."""
from __future__ import annotations

import functools
import json
import re
from importlib.resources import files


@functools.cache
def asset(name):
    """The text of a file of `assets/`."""
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def json_in_script(value):
    """JSON that cannot end the script element it is in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", text)
