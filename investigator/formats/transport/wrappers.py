"""The wrappers that stand around a line, one regex each: journald, docker, compose, CRI, kubectl, PowerShell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from investigator.formats.transport import stamps
from investigator.formats.transport.stamps import Columns, Group

_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)"
_LOCAL = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?"
# How lines of a model server begin.
_OURS = r"(?:time=\d|\[GIN\]|\d{4}/\d\d/\d\d \d|slot |srv  |que  |main: |llama_|llm_|ggml_|load_|print_info|llama-)"
_MONTH = r"(?:[A-Z][a-z]{2}|\d{1,2}月|[a-zà-ÿа-яА-Я]{3,5}\.?|[A-Z][a-zà-ÿ]{2})"
_CLOCK = r"(?<clock>\d\d:\d\d:\d\d)(?:\.(?<fraction>\d+))?"
_NAME = r"(?<program>\(?[A-Za-z][\w./@:+-]*?\)?)"
# The host can be left out (--no-hostname). Without a process number `word: text` may be the line itself.
_SURE = rf"(?:\S+ )?(?:{_NAME}\[\d+\]|(?<kernel>kernel)): ?(?<rest>.*)$"
_SYSLOG = rf"\S+ {_NAME}(?:\[\d+\])?: ?(?<rest>.*)$"

#: Longest piece of a line that journald and docker pass on in one record.
JOURNALD_PIECE_BYTES = 48 * 1024


@dataclass(frozen=True, slots=True)
class Wrapper:
    """One kind of wrapper: named groups `rest` (the payload), and if it has them `program` and `stream`.

    stamp: columns of the stamp from the regex's groups. json: key of the payload, if the line is a JSON object.
    goes_on: whether the line continues in the next record of the same stream.
    """

    name: str
    regex: str
    stamp: Callable[[Group], Columns] | None = None
    json: str | None = None
    goes_on: Callable[[Group], pl.Expr] | None = None

    @property
    def groups(self) -> frozenset[str]:
        return frozenset(name for name in ("program", "kernel", "stream") if f"(?<{name}>" in self.regex)


def _full_piece(group: Group) -> pl.Expr:
    return group("rest").str.len_bytes() == JOURNALD_PIECE_BYTES


def _marked_partial(group: Group) -> pl.Expr:
    return group("tag") == "P"


def _no_line_end(group: Group) -> pl.Expr:
    return ~group("rest").str.contains(r"(?:^|[^\\])(?:\\\\)*\\n$")


WRAPPERS: tuple[Wrapper, ...] = (
    Wrapper(
        "journald-short", rf"^(?<month>{_MONTH}) (?<day>[ \d]?\d) {_CLOCK} {_SURE}", stamps.short, None, _full_piece
    ),
    Wrapper("syslog", rf"^(?<month>{_MONTH}) (?<day>[ \d]?\d) {_CLOCK} {_SYSLOG}", stamps.short),
    Wrapper("journald-iso", rf"^(?<stamp>{_ISO}) {_SURE}", stamps.iso, None, _full_piece),
    Wrapper(
        "journald-full",
        rf"^[A-Z][a-z]{{2}} (?<date>\d{{4}}-\d\d-\d\d) {_CLOCK} (?<zone>[A-Za-z]{{2,5}}|[+-]\d\d(?::?\d\d)?) {_SURE}",
        stamps.full,
        None,
        _full_piece,
    ),
    Wrapper("journald-unix", rf"^(?<stamp>\d{{10}})\.(?<fraction>\d{{6}}) {_SURE}", stamps.epoch, None, _full_piece),
    Wrapper(
        "journald-monotonic",
        rf"^\[ *(?<stamp>\d+)\.(?<fraction>\d{{6}})(?: +<[^>]*>)?\] {_SURE}",
        stamps.boot,
        None,
        _full_piece,
    ),
    Wrapper(
        "cri",
        rf"^(?<stamp>{_ISO}) (?<stream>stdout|stderr) (?<tag>[FP])(?::\S*)? (?<rest>.*)$",
        stamps.iso,
        None,
        _marked_partial,
    ),
    Wrapper("stamped", rf"^(?<stamp>{_ISO}) (?<rest>.*)$", stamps.iso),
    # Docker Desktop and panels for logs print local time; only before what is surely a server's line.
    Wrapper("stamped-local", rf"^(?<stamp>{_LOCAL}) (?<rest>{_OURS}.*)$", stamps.iso),
    Wrapper("quoted", rf"^(?:> ?)+(?<rest>(?:{_OURS}|[A-Z][a-z]{{2}} [ \d]\d \d\d:|\d{{4}}-\d\d-).*)$"),
    # PowerShell puts the program's name before the first line that it redirects.
    Wrapper("powershell", r"^(?<program>\S*(?i:ollama|llama-server)(?:\.exe)?) : (?<rest>.*)$"),
    Wrapper("kubectl", r"^\[pod/[^/\]]+/(?<program>[^\]]+)\] (?<rest>.*)$"),
    Wrapper("compose", r"^(?<program>[A-Za-z][\w.-]*?(?:[-_]\d+)?) *\| ?(?<rest>.*)$"),
    Wrapper(
        "docker-json",
        r'^\{"log":"(?<rest>(?:[^"\\]|\\.)*)"(?:,"stream":"(?<stream>\w+)")?(?:,"attrs":\{[^}]*\})?,"time":"(?<stamp>[^"]+)"\}$',
        stamps.iso,
        "log",
        _no_line_end,
    ),
)

#: One test that lets all bare lines pass by; it may accept too much.
MAYBE = (
    r'^(?:\{(?:$|"log":|[^\n]*"__REALTIME_TIMESTAMP")|__CURSOR='
    r"|\d{4}-\d\d-\d\d[T ]\d|\d{10}\.\d{6} |\[pod/|\[ *\d+\.\d{6}[ \]]"
    r"|> ?(?:time=|\[GIN\]|\d{4}|slot |srv |llama|ggml|load|print_info|[A-Z][a-z]{2} [ \d]\d )"
    rf"|{_MONTH} (?:[ \d]?\d \d\d:\d\d:|\d{{4}}-\d\d-\d\d )"
    r"|[A-Za-z][0-9A-Za-z_.-]* *\||\S*(?i:ollama|llama-server)(?:\.exe)? : )"
)
#: A bar after a word is also an ordinary table of llama.cpp.
NOT_COMPOSE = r"^(?:slot|srv|que|llama_\w+|common_\w+|ggml_\w+|system_info|INFO|WARN|ERROR|DEBUG|model|size)\b"
