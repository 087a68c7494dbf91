"""Nested dictionaries of numbers, {method: {metric: {seed: value}}} and alike: filling them from what stages left, and
picking from them."""

import json
from pathlib import Path


def summary_of(folder):
    """The summary.json of a finished stage; None without it."""
    path = Path(folder) / "summary.json"
    return json.loads(path.read_text()) if path.is_file() else None


def put(rows, *path_and_value):
    """Sets rows[a][b]...[z] = value and makes the dictionaries on the way."""
    *path, last, value = path_and_value
    for key in path:
        rows = rows.setdefault(key, {})
    rows[last] = value


def metric(rows, method, name):
    """{seed: value}; empty where it was not measured."""
    return rows.get(method, {}).get(name, {})


def values(rows, method, name):
    """The same of all seeds, as a list."""
    return list(metric(rows, method, name).values())
