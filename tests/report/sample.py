"""A diagnosis made by hand: the founding incident, with hostile text and secrets among the evidence."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from investigator.capacity import Interval
from investigator.catalog import Price
from investigator.diagnosis.model import (
    Assumption,
    AttemptRow,
    CauseLine,
    Change,
    Curve,
    Diagnosis,
    Edge,
    EvidenceLine,
    Fix,
    Hypothesis,
    Impact,
    Incident,
    InputLine,
    InputProblem,
    MachineRow,
    MachineTable,
    MemoryBar,
    TimelineMark,
    TimelineSpan,
    Verdict,
    VerdictKind,
    World,
)
from investigator.rulebook.findings import (
    EvidenceRef,
    Finding,
    Kind,
    Label,
    Operand,
    Outcome,
    Remedy,
    RuleResult,
    Severity,
    Step,
    Value,
)

GIB = 1024**3
LOG, GATEWAY, SESSION = "server/server.log", "agent/openclaw-2026-02-18.log", "agent/sessions/5d1f.jsonl"
SHOW, VERBOSE, CONFIG, HOST = (
    "server/ollama-show.txt",
    "server/verbose.txt",
    "agent/openclaw.json",
    "server/machine.txt",
)
MODELFILE = "server/Modelfile.v-128k"

#: Text that a stranger could get into a log: it must show as text, everywhere.
HOSTILE = (
    '<script>alert("x")</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} </pre></details> '
    "\x1b[31mred\x1b[0m \u202eevil\u202c \u200b|| @everyone #42 ```` ```"
)
SECRETS = ("sk-ant-api03-Zx9Zx9Zx9Zx9Zx9Zx9Zx9", "alice.moon@example.org", "hunter2hunter2", "amoon")

R0, C = 2891.0, 2.889e-8
ASKED, WINDOW, NATIVE, LIMIT = 146_760, 131_072, 262_144, 300.0


def prefill(tokens: float, cached: float = 0.0) -> float:
    return (tokens / R0 + C * tokens**2) - (cached / R0 + C * cached**2)


def ref(source: str, line_no: int) -> EvidenceRef:
    return EvidenceRef(source, line_no)


def at(hour: int, minute: int, second: float = 0.0) -> datetime:
    """18 February 2026 at that time in UTC+01:00, as naive UTC: what the tables hold."""
    return datetime(2026, 2, 18, hour, minute) - timedelta(hours=1) + timedelta(seconds=second)


def operand(
    name: str, value: Value, unit: str | None, label: Label, *where: EvidenceRef, note: str | None = None
) -> Operand:
    return Operand(name, value, unit, label, where, note)


TRIES = ((1, at(11, 10, 22.6), 0, 212), (2, at(11, 23, 22.1), 4_301, 231), (3, at(11, 36, 22.9), 4_301, 250))

CAPPED = Finding(
    finding_id="f1",
    rule="window-capped-below-native",
    rule_version=1,
    pack="built-in",
    kind="cause",
    cause="window_capped_below_native",
    title="The model's window is capped below what it supports",
    severity="high",
    label="measured",
    subjects=("a1", "a2", "a3"),
    keys={"model": ("v-128k",)},
    happened_at=at(11, 10, 22.6),
    last_at=at(11, 41, 22.9),
    columns={},
    steps=(
        Step(
            "over",
            "tokens that do not fit the window in force",
            "146,760 − 131,072",
            ASKED - WINDOW,
            "tokens",
            "measured",
            (
                operand("asked_tokens", ASKED, "tokens", "measured", ref(LOG, 212), ref(LOG, 231), ref(LOG, 250)),
                operand("window_tokens", WINDOW, "tokens", "measured", ref(LOG, 96), ref(MODELFILE, 3)),
            ),
        ),
        Step(
            "room",
            "tokens that the model itself would still have room for",
            "262,144 − 146,760",
            NATIVE - ASKED,
            "tokens",
            "measured",
            (
                operand("native_window_tokens", NATIVE, "tokens", "measured", ref(SHOW, 6)),
                operand("asked_tokens", ASKED, "tokens", "measured", ref(LOG, 212)),
            ),
        ),
        Step(
            "share_cut",
            "share of the prompt thrown away, from the front",
            "15,688 ÷ 146,760",
            15_688 / ASKED,
            "ratio",
            "derived",
            (),
        ),
    ),
    short="146,760 tokens were asked for, 131,072 fit, the model supports 262,144",
    long="The model was created as v-128k with num_ctx 131072. The label became a limit: the server threw away the 15,688 tokens "
    "that follow the first four, and read the rest. The agent was never told.",
    evidence=(ref(LOG, 96), ref(LOG, 212), ref(MODELFILE, 3), ref(SHOW, 6)),
    what_if={"window": NATIVE},
    remedies=(Remedy("create the model without num_ctx 131072", "server", "window", "num_ctx", NATIVE, None),),
)

OUTLASTS = Finding(
    finding_id="f2",
    rule="prefill-outlasts-timeout",
    rule_version=1,
    pack="built-in",
    kind="cause",
    cause="prefill_outlasts_timeout",
    title="Reading the prompt takes longer than the client waits",
    severity="high",
    label="derived",
    subjects=("a1", "a2", "a3"),
    keys={"run": ("r1", "r2", "r3")},
    happened_at=at(11, 10, 22.6),
    last_at=at(11, 41, 22.9),
    columns={},
    steps=(
        Step(
            "whole_floor",
            "time to read all that was asked, at the deepest measured rate",
            "146,760 tokens ÷ 400 tokens/s",
            366.9,
            "s",
            "derived",
            (
                operand("asked_tokens", ASKED, "tokens", "measured", ref(LOG, 212)),
                operand(
                    "deepest_tps",
                    400.0,
                    "tps",
                    "measured",
                    ref(VERBOSE, 9),
                    note="mean rate of a 74,560-token prompt; a lower bound, since the rate falls with depth",
                ),
            ),
        ),
        Step(
            "cut_floor",
            "time to read what was left after the cut, at the same rate",
            "131,072 tokens ÷ 400 tokens/s",
            327.68,
            "s",
            "derived",
            (
                operand("read_tokens", WINDOW, "tokens", "measured", ref(LOG, 212)),
                operand("deepest_tps", 400.0, "tps", "measured", ref(VERBOSE, 9)),
            ),
        ),
        Step(
            "cut_fitted",
            "the same by the law fitted to this machine's own requests",
            "131,072 ÷ 2,891 + 2.889e-8 × 131,072²",
            prefill(WINDOW),
            "s",
            "estimated",
            (
                operand(
                    "prefill_r0",
                    R0,
                    "tps",
                    "derived",
                    ref(SESSION, 14),
                    ref(SESSION, 41),
                    ref(VERBOSE, 9),
                    note="fit over 3 healthy requests",
                ),
                operand("prefill_c", C, "s/tok2", "derived", ref(SESSION, 14), ref(SESSION, 41), ref(VERBOSE, 9)),
            ),
        ),
        Step(
            "whole_fitted",
            "the whole prompt by that law",
            "146,760 ÷ 2,891 + 2.889e-8 × 146,760²",
            prefill(ASKED),
            "s",
            "estimated",
            (),
        ),
        Step("whole_fitted_low", "lower end of that estimate", "673.0 s ÷ 1.103", 610.0, "s", "estimated", ()),
        Step("whole_fitted_high", "upper end of that estimate", "673.0 s × 1.103", 742.0, "s", "estimated", ()),
        Step(
            "limit",
            "how long the agent's run may take",
            "agents.defaults.timeoutSeconds",
            LIMIT,
            "s",
            "measured",
            (operand("timeout_s", LIMIT, "s", "measured", ref(CONFIG, 11), ref(GATEWAY, 402)),),
        ),
        Step(
            "ceiling",
            "without any benchmark: 131,072 tokens were not read in 300 s, so the mean rate was below",
            "131,072 ÷ 300 s",
            WINDOW / LIMIT,
            "tps",
            "derived",
            (),
        ),
    ),
    short="5 min 28 s of reading at the very least, the client waits 5 min",
    long="Prefill gets slower with depth. Even at the mean rate of a prompt half as long, the 131,072 tokens that were left after the cut "
    "need 327.7 s; fitted to this machine's own requests it is 542 s. The run limit is 300 s.",
    evidence=(ref(LOG, 214), ref(GATEWAY, 402), ref(VERBOSE, 9), ref(CONFIG, 11)),
    what_if={"long_wait": 674.0},
    remedies=(
        Remedy(
            "raise agents.defaults.timeoutSeconds to 900",
            "client",
            "long_wait",
            "agents.defaults.timeoutSeconds",
            900,
            None,
        ),
    ),
)

RETRIED = Finding(
    finding_id="f3",
    rule="same-work-retried-in-vain",
    rule_version=1,
    pack="built-in",
    kind="symptom",
    cause="retry_storm",
    title="The same work was tried again, unchanged",
    severity="medium",
    label="derived",
    subjects=("a1", "a2", "a3"),
    keys={"work": ("w1",)},
    happened_at=at(11, 23, 22.1),
    last_at=at(11, 41, 22.9),
    columns={},
    steps=(
        Step(
            "reused",
            "tokens that the second try could reuse of the first",
            "common prefix after the cut",
            4_301,
            "tokens",
            "derived",
            (operand("cached_tokens", 4_301, "tokens", "derived", ref(SESSION, 58)),),
        ),
    ),
    short="three tries of the same 146,760-token prompt, none could end in time",
    long="The last message starts with a time stamp, so the prompts differ at token 4,301 and the cache of the try before is of no use behind it.",
    evidence=(ref(LOG, 231), ref(LOG, 250)),
    what_if={},
    remedies=(),
)


def attempt_row(try_no: int, arrived: datetime, cached: int, line: int) -> AttemptRow:
    columns: dict[str, Value] = {
        "try_no": try_no, "tries": 3, "model": "v-128k", "arrived_at": arrived, "ended_at": arrived + timedelta(seconds=299.9),
        "duration_s": 299.9, "status": 500, "outcome": "client_closed_before_first_byte", "failed": True, "seen_by": "both",
        "pairing_confidence": 0.98, "asked_tokens": ASKED, "window_tokens": WINDOW, "native_window_tokens": NATIVE,
        "believed_window_tokens": NATIVE, "read_tokens": WINDOW, "cut_tokens": ASKED - WINDOW, "cached_tokens": cached,
        "timeout_s": LIMIT, "timeout_layer": "OpenClaw run limit", "timeout_key": "agents.defaults.timeoutSeconds",
        "prefill_s": prefill(WINDOW, cached), "queue_s": 0.0, "zone_offset_s": 3600,
    }  # fmt: skip
    why = "Reading 131,072 tokens takes about 542 s, the agent hung up after 300 s" + (
        f"; {cached:,} tokens could be reused." if cached else "."
    )
    return AttemptRow(
        f"a{try_no}", f"c{try_no}", columns, why, (ref(LOG, line), ref(LOG, line + 2), ref(GATEWAY, 401 + try_no))
    )


def healthy_row(number: int, day: int, tokens: int, seconds: float) -> AttemptRow:
    arrived = datetime(2026, 2, day, 9, 30, tzinfo=UTC)
    columns: dict[str, Value] = {
        "try_no": 1, "tries": 1, "model": "v-128k", "arrived_at": arrived, "ended_at": arrived + timedelta(seconds=seconds + 6),
        "duration_s": seconds + 6, "outcome": "ok", "failed": False, "asked_tokens": tokens, "read_tokens": tokens,
        "window_tokens": WINDOW, "native_window_tokens": NATIVE, "believed_window_tokens": NATIVE, "cached_tokens": 0,
        "timeout_s": LIMIT,
    }  # fmt: skip
    return AttemptRow(f"h{number}", f"hc{number}", columns, "answered", (ref(SESSION, 14),))


def machine_row(
    id_: str,
    name: str,
    gib: float,
    price: Price | None,
    read_s: tuple[float, float, float] | None,
    fits: bool,
    passes: bool,
) -> MachineRow:
    return MachineRow(
        machine_id=id_, name=name, memory_gib=gib, cards=1, price=price, is_present=id_ == "apple-m2-ultra",
        memory="fits" if fits else "does_not_fit", need_bytes=Interval(41.3 * GIB, 41.8 * GIB, 42.4 * GIB),
        limit_bytes=Interval.exact(gib * 0.75 * GIB), reading_s=None if read_s is None else Interval(*read_s), alone="fails",
        with_window="passes" if passes else "fails", confidence="high" if id_ == "apple-m2-ultra" or not fits else "medium",
        basis=None if read_s is None else "benchmark", note="this model was measured there to 34,816 tokens",
        why_not=("The model's window is capped below what it supports",),
    )  # fmt: skip


def machines() -> MachineTable:
    """The machine of the logs, one that would have passed, and six that would not."""
    small = Price(120, "2025-01", False)
    rows = (
        machine_row("apple-m2-ultra", "Mac Studio M2 Ultra", 64, None, (610.0, 673.0, 742.0), True, False),
        machine_row(
            "dgx", "DGX Spark", 128, Price(4699, "2026-02", True, "raised from 3999"), (143, 196, 268), True, True
        ),
        *(machine_row(f"small-{n}", f"Small board {n}", 16, small, None, False, False) for n in range(6)),
    )
    return MachineTable(
        incident_id="i1",
        sentence="No purchase fixes this incident by itself: on each of them the model's window is capped.",
        remarks=(
            "With the window at 262,144 as well it would have passed on DGX Spark (medium confidence).",
            "Without any purchase it passes with the window at 262,144 and the limit at 900 s.",
        ),
        window_tokens=NATIVE,
        timeout_s=LIMIT,
        rows=rows,
    )


def spans() -> tuple[TimelineSpan, ...]:
    out: list[TimelineSpan] = []
    for try_no, arrived, cached, _ in TRIES:
        closed, name = arrived + timedelta(seconds=299.9), f"a{try_no}"
        label = f"try {try_no}, 146,760 tokens"
        out.append(TimelineSpan("agent", "call", arrived, closed, "client_closed_before_first_byte", label, name))
        out.append(
            TimelineSpan(
                "server",
                "prefill",
                arrived + timedelta(seconds=0.4),
                closed,
                "client_closed_before_first_byte",
                label,
                name,
            )
        )
        out.append(
            TimelineSpan(
                "server",
                "abandoned",
                closed,
                arrived + timedelta(seconds=prefill(WINDOW, cached)),
                "abandoned",
                f"{label}: still read after the client left",
                name,
            )
        )
    start = at(10, 58)
    out.append(TimelineSpan("agent", "call", start, start + timedelta(seconds=25), "ok", "small call", "s1"))
    out.append(TimelineSpan("server", "load", start, start + timedelta(seconds=9), "ok", "model load", "s1"))
    out.append(
        TimelineSpan(
            "server", "prefill", start + timedelta(seconds=9), start + timedelta(seconds=18), "ok", "small call", "s1"
        )
    )
    out.append(
        TimelineSpan(
            "server", "decode", start + timedelta(seconds=18), start + timedelta(seconds=25), "ok", "small call", "s1"
        )
    )
    return tuple(out)


def world(
    changes: tuple[Change, ...], saves: str, saved: int, *, minimal: bool, why: str, popular: bool, might: int = 0
) -> World:
    return World(changes, saves, saved, might, 3, minimal, float(len(changes)), why, popular)  # type: ignore[arg-type]


WIDE = Change("window_tokens", WINDOW, NATIVE, "tokens", "window 131,072 → 262,144 tokens")
LONG = Change("timeout_s", LIMIT, 900.0, "s", "run limit 300 s → 900 s")
WORLDS = (
    world((WIDE, LONG), "yes", 3, minimal=True, why="all 146,760 tokens fit, and 674 s of reading (610 s – 742 s) is less than 900 s", popular=False),
    world((Change("cached_tokens", 4_301, ASKED - 500, "tokens", "prompt prefix kept identical between tries"),), "might", 2, might=0, minimal=True,
          why="the second try would have been answered from the cache of the first; the first is lost all the same", popular=False),
    world((LONG,), "no", 0, minimal=False, why="542 s fits into 900 s, but 15,688 tokens are still thrown away", popular=True),
    world((WIDE,), "no", 0, minimal=False, why="nothing is cut, but 674 s of reading is more than 300 s", popular=True),
    world((WIDE, Change("timeout_s", LIMIT, 420.0, "s", "run limit 300 s → 420 s")), "no", 0, minimal=False, why="674 s (610 s – 742 s) is more than 420 s", popular=True),
    world((Change("kv_type", "f16", "q8_0", None, "KV cache f16 → q8_0"),), "no", 0, minimal=False, why="memory was never short: 41.3 of 48.0 GiB would be used", popular=True),
)  # fmt: skip

DIFFERENTIAL = (
    Hypothesis("window-capped-below-native", "window_capped_below_native", "The window is capped below native", "cause",
               ("asked 146,760 > window 131,072", "native 262,144 ≥ asked"), (), None, (ref(LOG, 212), ref(SHOW, 6))),
    Hypothesis("prefill-outlasts-timeout", "prefill_outlasts_timeout", "Prefill outlasts the limit", "cause",
               ("327.7 s at 400 tokens/s > 300 s", "the agent logged its own limit as reached"), (), None, (ref(VERBOSE, 9), ref(GATEWAY, 402))),
    Hypothesis("same-work-retried-in-vain", "retry_storm", "The same work retried in vain", "symptom",
               ("three tries, equal prompt", "4,301 reusable tokens of 131,072"), (), None, (ref(LOG, 231),)),
    Hypothesis("prompt-exceeds-window-cut", "prompt_truncated_num_ctx", "Prompt larger than the window, cut", "contributes", ("truncating input prompt limit=131072 prompt=146760",), (), None, (ref(LOG, 212),)),
    Hypothesis("memory-did-not-fit", "oom_gpu", "Memory did not fit", "ruled_out", (),
               ("17.3 GiB weights + 24.0 GiB KV + 1.6 GiB compute = 42.9 GiB < 48.0 GiB, even at 262,144", "no memory error in the log"), None, (ref(LOG, 98), ref(HOST, 2))),
    Hypothesis("server-crashed", "runner_crash", "The server crashed or restarted", "ruled_out", (), ("no exit, no start between 2026-02-17 22:04 and the end of the log", "requests were answered after each try"), None, (ref(LOG, 260),)),
    Hypothesis("other-load", "queue_buildup", "Another client held the machine", "cannot_tell", (), (), "ollama ps; sudo powermetrics --samplers gpu_power -n 5", ()),
)  # fmt: skip

FIXES = (
    Fix("A model definition without the cap", "Modelfile.v-native, then: ollama create v-native -f Modelfile.v-native", "modelfile",
        "FROM qwen3-coder:30b\nPARAMETER num_ctx 262144\n", "window alone: no; with the run limit below: 3 of 3 calls"),
    Fix("The agent's run limit", "~/.openclaw/openclaw.json", "json",
        '{\n  "agents": {\n    "defaults": {\n      "timeoutSeconds": 900\n    }\n  }\n}\n', "limit alone: no; with the window above: 3 of 3 calls"),
)  # fmt: skip


def curve() -> Curve:
    xs = [n * 5_000 for n in range(54)]
    line = tuple((float(x), prefill(x) * (1 - 0.6 * x / 1e6), prefill(x), prefill(x) * (1 + 0.7 * x / 1e6)) for x in xs)
    points: tuple[tuple[float, float, Label], ...] = (
        (20_112, 18.6, "derived"),
        (40_008, 60.1, "derived"),
        (74_560, 186.4, "measured"),
    )
    return Curve(
        "v-128k",
        points,
        line,
        LIMIT,
        R0,
        C,
        "t = n ÷ 2,891 + 2.889e-8 · n², fitted to 3 healthy requests of 15 – 17 February; beyond 74,560 tokens the curve is an extrapolation",
    )


def memory() -> tuple[MemoryBar, ...]:
    def bar(title: str, kv: float, compute: float) -> MemoryBar:
        parts = (("weights", 17.3 * GIB), ("KV cache f16", kv * GIB), ("compute", compute * GIB))
        return MemoryBar(title, parts, 48 * GIB, "¾ of 64 GiB, Apple's default GPU limit")

    return (bar("as it ran, 131,072", 12.0, 1.1), bar("at the native window, 262,144", 24.0, 1.6))


def incident() -> Incident:
    return Incident(
        incident_id="i1", title="Three runs of 146,760 tokens ended at the run limit", severity="high", cause="window_capped_below_native",
        sentence="A 131,072-token cap cut a 146,760-token prompt that the model itself (262,144) could hold, and reading what was left takes longer than the agent's 300 s run limit: both must change.",
        causes=(CauseLine("window-capped-below-native", "window_capped_below_native", CAPPED.title, 3, "measured", "f1"),
                CauseLine("prefill-outlasts-timeout", "prefill_outlasts_timeout", OUTLASTS.title, 3, "derived", "f2")),
        edges=(Edge("f1", "f3"), Edge("f2", "f3")), symptoms=("f3",), findings=(CAPPED, OUTLASTS, RETRIED), differential=DIFFERENTIAL,
        what_would_help=WORLDS, fixes=FIXES, attempts=tuple(attempt_row(*row) for row in TRIES),
        impact=Impact(3, 3, 899.7, 3 * WINDOW), curve=curve(), memory=memory(), started_at=at(11, 10, 22.6), ended_at=at(11, 41, 22.8),
        run_ids=("r1", "r2", "r3"), model="v-128k", machines=machines(),
    )  # fmt: skip


def _line(
    source: str, line_no: int, text: str, before: str | None = None, after: str | None = None
) -> tuple[str, EvidenceLine]:
    around = ((line_no - 1, before),) if before else ()
    behind = ((line_no + 1, after),) if after else ()
    return f"{source}:{line_no}", EvidenceLine(source, line_no, text, around, behind, "kept")


def evidence() -> dict[str, EvidenceLine]:
    def cut(second: str) -> str:
        return f'time=2026-02-18T{second}+01:00 level=WARN source=runner.go:187 msg="truncating input prompt" limit=131072 prompt=146760 keep=4 new=131072'

    def gin(end: str, took: str) -> str:
        return f'[GIN] 2026/02/18 - {end} | 500 | {took:>12} |       127.0.0.1 | POST     "/v1/chat/completions"'

    lines = [
        _line(LOG, 96, 'time=2026-02-17T22:04:11.120+01:00 level=INFO source=runner.go:1278 msg=load request="{Operation:commit LoraPath:[] Parallel:1 BatchSize:512 FlashAttention:Enabled KvSize:131072 KvCacheType: NumThreads:16 GPULayers:49}"',
              'time=2026-02-17T22:04:10.870+01:00 level=INFO source=server.go:429 msg="starting runner" cmd="/Users/amoon/bin/ollama runner --ollama-engine --model /Users/amoon/.ollama/models/blobs/sha256-1194192cf2a187eb02722edcc3f77b11d21f537048ce04b67ccf8ba78863006a"',
              'time=2026-02-17T22:04:11.121+01:00 level=INFO source=device.go:240 msg="model weights" device=Metal size="17.3 GiB"'),
        _line(LOG, 98, 'time=2026-02-17T22:04:11.121+01:00 level=INFO source=device.go:251 msg="kv cache" device=Metal size="12.0 GiB"'),
        _line(LOG, 212, cut("11:10:22.981"), HOSTILE, "time=2026-02-18T11:10:23.004+01:00 level=DEBUG source=cache.go:142 msg=\"loading cache slot\" id=0 cache=0 prompt=131072 used=0 remaining=131072"),
        _line(LOG, 214, gin("11:15:22", "4m59s")),
        _line(LOG, 231, cut("11:23:22.412"), None, "Authorization: Bearer sk-ant-api03-Zx9Zx9Zx9Zx9Zx9Zx9Zx9"),
        _line(LOG, 233, gin("11:28:22", "5m0s")),
        _line(LOG, 250, cut("11:36:23.218")), _line(LOG, 252, gin("11:41:22", "4m59s")),
        _line(LOG, 260, '[GIN] 2026/02/18 - 11:52:40 | 200 |  1.204s |       127.0.0.1 | GET      "/api/tags"'),
        _line(MODELFILE, 3, "PARAMETER num_ctx 131072", "FROM qwen3-coder:30b", 'LICENSE """contact alice.moon@example.org, postgres://ci:hunter2hunter2@db.example.org/x"""'),
        _line(SHOW, 6, "    context length      262144    ", "    parameters          30.5B     ", "    embedding length    2048      "),
        _line(VERBOSE, 9, "prompt eval rate:     400.00 tokens/s", "prompt eval duration: 3m6.4s", "eval count:           212 token(s)"),
        _line(CONFIG, 11, '      "timeoutSeconds": 300,', '    "defaults": {', '      "contextTokens": 262144'),
        *(_line(GATEWAY, 401 + n, f'{{"time":"2026-02-18T{when}Z","level":"warn","subsystem":"agent/embedded","msg":"embedded run timeout: runId=r{n} sessionId=5d1f timeoutMs=300000"}}') for n, when in ((1, "10:15:24.402"), (2, "10:28:23.900"), (3, "10:41:24.710"))),
        _line(SESSION, 14, '{"type":"message","usage":{"input":20112,"output":171},"text":"' + "x" * 2600 + '"}'),
        _line(SESSION, 41, '{"type":"message","usage":{"input":40008,"output":160}}'), _line(SESSION, 58, '{"type":"message","role":"user","content":"[Wed 2026-02-18 11:23 GMT+1] ' + HOSTILE.replace('"', "'") + '"}'),
        _line(HOST, 2, "hw.memsize: 68719476736"),
    ]  # fmt: skip
    known = dict(lines)
    known[f"{GATEWAY}:402"] = replace(known[f"{GATEWAY}:402"], state="fetched")
    known[f"{HOST}:2"] = replace(known[f"{HOST}:2"], state="rotated_away", text="")
    return known


def _rule(
    rule: str,
    kind: Kind,
    outcome: Outcome,
    fired: int = 0,
    quiet: int = 0,
    missing: int = 0,
    reasons: tuple[str, ...] = (),
) -> RuleResult:
    return RuleResult(
        rule,
        kind,
        outcome,
        {"fired": fired, "quiet": quiet, "not_evaluated": missing, "error": int(outcome == "error")},
        reasons,
        0.01,
    )


RULES = (
    _rule("window-capped-below-native", "cause", "fired", 3, 3), _rule("prefill-outlasts-timeout", "cause", "fired", 3, 3),
    _rule("same-work-retried-in-vain", "symptom", "fired", 1), _rule("prompt-exceeds-window-cut", "cause", "fired", 3),
    _rule("prompt-exceeds-window-refused", "cause", "quiet", 0, 6), _rule("memory-did-not-fit", "ruled-out", "quiet", 0, 1),
    _rule("server-crashed", "ruled-out", "quiet", 0, 1), _rule("window-belief-mismatch", "cause", "fired", 3),
    _rule("queue-buildup", "cause", "not_evaluated", 0, 0, 6, ("queue_s: this release's Go runner logs no queueing time",)),
    _rule("slow-decode", "advice", "error", 0, 0, 0, ("slow-decode.yaml:14:9: unknown column decode_tpss; did you mean decode_tps?",)),
)  # fmt: skip


def _input(
    path: str, form: str, counts: tuple[int, int, int, int], shapes: tuple[tuple[str, int], ...] = ()
) -> InputLine:
    digest = hashlib.sha256(path.encode()).hexdigest()
    return InputLine(path, form, digest, sum(counts) * 118, sum(counts), *counts, shapes)


INPUTS = (
    _input(LOG, "ollama-server", (188, 61, 4, 2), (("time=<time> level=INFO source=<file> msg=\"entering <script>low</script> vram mode\"", 2),)),
    _input(MODELFILE, "modelfile", (3, 1, 0, 0)), _input(SHOW, "ollama-show", (14, 7, 0, 0)), _input(VERBOSE, "ollama-verbose", (8, 2, 0, 0)),
    _input(HOST, "machine", (5, 0, 0, 0)), _input(CONFIG, "openclaw-config", (22, 9, 0, 0)), _input(GATEWAY, "openclaw-log", (390, 61, 0, 12), (("{time,level,subsystem,msg: heartbeat <n>}", 12),)),
    _input(SESSION, "openclaw-session", (58, 0, 0, 0)),
)  # fmt: skip


def diagnosis() -> Diagnosis:
    """The founding incident as the report gets it."""
    severity: Severity = "high"
    assert incident().severity == severity
    return Diagnosis(
        tool_version="0.1.0",
        verdict=Verdict("cause_found", "A label became a limit and the clock ran out: v-128k allows 131,072 tokens where the model holds 262,144, and reading even that takes longer than the agent's 300 s. Both must change; either alone fails."),
        incidents=(incident(),), rules=RULES, inputs=INPUTS,
        problems=(InputProblem("agent/old.log.gz", "truncated", "the gzip stream ends early after 4,096 bytes; what came before was read"),),
        assumptions=(Assumption("zone of agent/openclaw-2026-02-18.log", "UTC", "its time stamps end in Z"),
                     Assumption("clock of the agent", "+1.8 s against the server's", "median over 3 paired requests"),
                     Assumption("KV cache type", "f16", "KvCacheType is empty in the load request")),
        evidence=evidence(), spans=spans(), marks=tuple(TimelineMark(t + timedelta(seconds=300), "limit", "run limit 300 s") for _, t, _, _ in TRIES),
        attempts=(healthy_row(1, 15, 20_112, 18.6), healthy_row(2, 16, 40_008, 60.1), healthy_row(3, 17, 74_560, 186.4), *(attempt_row(*row) for row in TRIES)),
        zone_offset_s=3600, unpaired={"both": 6, "server": 2, "agent": 0}, exit_code=1, exit_reasons=("a finding of severity high, --fail-on is medium",),
    )  # fmt: skip


def empty(kind: VerdictKind = "healthy", sentence: str = "All 6 calls were answered.") -> Diagnosis:
    """A case without incidents: nothing known but the inputs."""
    return replace(
        diagnosis(), verdict=Verdict(kind, sentence), incidents=(), evidence={}, spans=(), marks=(), attempts=(), zone_offset_s=None,
        exit_code=0, exit_reasons=(), problems=(), assumptions=(), unpaired={},
    )  # fmt: skip


def bare_incident() -> Incident:
    """An incident of which next to nothing is known: every optional thing is missing."""
    row = AttemptRow("b1", "bc1", {"outcome": "unknown", "failed": True}, "nothing in the logs says why", ())
    return Incident(
        "i9", "A call failed and nothing says why", "low", None, "One call failed; the nearest rule missed it.", (), (), (), (), (), (), (), (row,),
        Impact(1, 1, None, None), None, (), None, None, (), None,
    )  # fmt: skip


def several() -> Diagnosis:
    """Two incidents: the founding one and one that nothing explains."""
    return replace(diagnosis(), incidents=(incident(), bare_incident()))


def large(calls: int = 5_000) -> Diagnosis:
    """A case of many requests, most of them in the incident, five of them at once."""
    base = diagnosis()
    rows, bars, lines = [], [], dict(base.evidence)
    for n in range(calls):
        arrived = at(0, 0, n * 17.0)
        closed = arrived + timedelta(seconds=60 + n % 40)
        failed = n % 3 == 0
        outcome = "client_closed_before_first_byte" if failed else "ok"
        asked = 20_000 + (n * 7919) % 180_000
        columns: dict[str, Value] = {
            "try_no": 1, "tries": 1, "arrived_at": arrived, "duration_s": 60.0 + n % 40, "outcome": outcome, "failed": failed,
            "asked_tokens": asked, "read_tokens": min(asked, WINDOW), "window_tokens": WINDOW, "native_window_tokens": NATIVE,
            "believed_window_tokens": 200_000, "cached_tokens": 0, "timeout_s": LIMIT, "model": "v-128k",
        }  # fmt: skip
        where = ref(LOG, 1_000 + n)
        rows.append(AttemptRow(f"n{n}", f"nc{n}", columns, f"call {n}: {outcome}", (where,)))
        lines[str(where)] = EvidenceLine(
            LOG, 1_000 + n, f'[GIN] 2026/02/18 - 00:00:00 | 500 | {n} | POST "/v1/chat/completions"', (), (), "kept"
        )
        bars.append(TimelineSpan("agent", "call", arrived, closed, outcome, f"call {n}", f"n{n}"))
        bars.append(
            TimelineSpan("server", "queue", arrived, arrived + timedelta(seconds=8), outcome, f"call {n}", f"n{n}")
        )
        bars.append(
            TimelineSpan("server", "prefill", arrived + timedelta(seconds=8), closed, outcome, f"call {n}", f"n{n}")
        )
    marks = tuple(TimelineMark(at(n, 30), "start", "server start") for n in range(0, 23, 4))
    one = replace(
        incident(),
        attempts=tuple(rows),
        started_at=at(0, 0),
        ended_at=at(23, 40),
        impact=Impact(calls // 3, calls // 3, 1e5, 10**8),
    )
    return replace(base, incidents=(one,), attempts=tuple(rows), spans=tuple(bars), marks=marks, evidence=lines)
