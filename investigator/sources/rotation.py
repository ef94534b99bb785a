"""The order of a rotated set: its files stand together, the oldest first."""

from __future__ import annotations

import re
from typing import NamedTuple

_PACKED = re.compile(r"\.(?:gz|bz2|xz|zst)$")
# Ollama's app and Windows server: server-1.log is the newest old one. logrotate, docker, Kubernetes: server.log.1 too.
_OLDER = re.compile(r"^(?P<stem>.*?\D)(?:-(?P<dash>\d{1,3})(?P<end>\.log)|\.(?P<dot>\d{1,3}))$")
# Ollama's former macOS app went on from server.log to server1.log: the highest number is the newest.
_NEWER = re.compile(r"^(?P<stem>.*[A-Za-z])(?P<number>\d{1,3})(?P<end>\.log)$")
# logrotate's dateext, Kubernetes: server.log-20250321, 0.log.20250321-103000.
_DATED = re.compile(r"^(?P<stem>.*?)[-.](?P<date>\d{8}(?:-\d{6})?)$")

_DATE_FIRST, _OLD, _CURRENT, _NEW = range(4)


class RotationKey(NamedTuple):
    """Sorts paths: by the set's own path, then from the oldest file to the newest."""

    stem: str
    age: int
    number: int
    path: str


def rotation_key(path: str) -> RotationKey:
    """Key of a path (as shown to users). `server-1.log`, `server.log.1.gz`, `server1.log` belong to `server.log`."""
    plain = _PACKED.sub("", path)
    if dated := _DATED.match(plain):
        return RotationKey(dated["stem"], _DATE_FIRST, int(dated["date"].replace("-", "")), path)
    if older := _OLDER.match(plain):
        number = int(older["dash"] or older["dot"])
        return RotationKey(older["stem"] + (older["end"] or ""), _OLD, -number, path)
    if newer := _NEWER.match(plain):
        return RotationKey(newer["stem"] + newer["end"], _NEW, int(newer["number"]), path)
    return RotationKey(plain, _CURRENT, 0, path)


def is_rotated(path: str) -> bool:
    """Does the name say that the log's writer goes on in another file?"""
    return rotation_key(path).age in (_DATE_FIRST, _OLD) or _PACKED.search(path) is not None
