"""Files that are whole or not there: written to a temporary name, flushed to the disk, then renamed."""
import csv
import json

from ..backend.files import replacing


def write_text(path, text):
    """Write a text file atomically, in UTF-8 with \\n line ends."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path, body):
    """Write a binary file atomically."""
    with replacing(path) as temporary:
        temporary.write_bytes(body)


def write_json(path, value, indent=2):
    """Write `value` as JSON, atomically; with `indent` None in one line."""
    write_text(path, json.dumps(value, indent=indent) + "\n")


def write_rows(path, rows):
    """Write a list of dicts as CSV, atomically; columns in the order of first appearance."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
