"""Whole deliveries to real trackers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import Result
from conftest import Attached

from investigator.casefile.case import Case
from investigator.pipeline import analyze, builtin_rules, ingest
from investigator.report import redact
from investigator.report.html import render_html
from investigator.rulebook.pack import RuleSet
from investigator.tickets.ladder import Order, deliver
from investigator.tickets.model import Ticket

#: Looks like what it is not: a key of a provider, in the logs.
PLANTED = "sk-ant-api03-" + "Zq7Rk2Vw9Xb4Nf6Hs1Jd3Lg5Pt8Yc0Mv" * 2


@pytest.fixture
def fingerprint() -> str:
    """An incident that no other test and no earlier run has filed."""
    return uuid4().hex[:12]


def test_new_then_nothing_then_a_comment(attached: Attached, order: Callable[..., Order], fingerprint: str) -> None:
    tracker, real = attached.tracker, attached.real
    first = deliver(order(fingerprint), tracker)
    assert first.delivered and [s.result for s in first.steps if s.rung == "ticket"] == ["filed"]
    name = f"{order(fingerprint).stem}.html"
    assert real.files(first.ticket.key)[name] == [order(fingerprint).html.encode()]

    told = tracker.texts(first.ticket)
    again = deliver(order(fingerprint), tracker)
    assert again.ticket.key == first.ticket.key and {s.result for s in again.steps} == {"found", "there already"}
    assert tracker.texts(first.ticket) == told

    changed = deliver(order(fingerprint, 17), tracker)
    assert changed.ticket.key == first.ticket.key
    files = real.files(first.ticket.key)
    assert [name for name in files if name.endswith(".html")] == [name, f"{order(fingerprint, 17).stem}.html"]
    assert all(len(held) == 1 for held in files.values())
    news = tracker.texts(first.ticket)[-1]
    assert "17 min" in news and "15 min" in news and "changed" in news


def test_the_summary_renders(attached: Attached, order: Callable[..., Order], fingerprint: str) -> None:
    wanted = order(fingerprint)
    ticket = deliver(wanted, attached.tracker).ticket
    assert len(attached.tracker.texts(ticket)[0].encode()) <= 4_096
    page = " ".join(attached.real.page(ticket.key).split())
    for text in ("Cause found", "393,216", "146,760 − 131,072", "PARAMETER num_ctx 262144", "How to open"):
        assert text in page, text
    if attached.real.name == "redmine":
        assert "<strong>15,688 tokens</strong>" in page and "investigator:incident" not in page
        assert 'alt="" loading="lazy"' in page


def test_hostile_text_stays_text(attached: Attached, html: str, fingerprint: str) -> None:
    from investigator.tickets.reading import read_report

    hostile = "A label @admin #1 [[Wiki]] {{toc}} *bold* http://evil.example/x.png &lt;b&gt;x&lt;/b&gt; became"
    changed = html.replace("A label became", hostile)
    wanted = Order(fingerprint, read_report(changed, "report.html"), changed)
    ticket = deliver(wanted, attached.tracker).ticket
    page = attached.real.page(ticket.key)
    assert 'href="http://evil.example' not in page and "<b>x</b>" not in page
    assert "<strong>bold</strong>" not in page and 'class="user active"' not in page


def test_closed_is_reopened_or_linked(attached: Attached, order: Callable[..., Order], fingerprint: str) -> None:
    tracker = attached.tracker
    ticket = deliver(order(fingerprint), tracker).ticket
    attached.real.close(ticket.key)
    assert not tracker.get(ticket.key).is_open
    # The same report again is known: whoever closed the ticket had seen it.
    assert deliver(order(fingerprint), tracker).ticket == Ticket(ticket.key, ticket.url, False)

    back = deliver(order(fingerprint, 18), tracker)
    assert back.ticket.key == ticket.key and "reopened" in [s.result for s in back.steps]
    assert tracker.get(ticket.key).is_open

    attached.real.close(ticket.key)
    linked = deliver(order(fingerprint, 19, closed="link"), tracker).ticket
    assert linked.key != ticket.key and ticket.key in tracker.texts(linked)[0]
    assert not tracker.get(ticket.key).is_open
    assert deliver(order(fingerprint, 20, closed="link"), tracker).ticket.key == linked.key


class Killed(BaseException):
    """What a killed process does not survive."""


def test_killed_between_upload_and_comment(
    attached: Attached, order: Callable[..., Order], fingerprint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = attached.tracker
    ticket = deliver(order(fingerprint), tracker).ticket
    with monkeypatch.context() as patch:

        def killed(*_: object) -> None:
            raise Killed

        patch.setattr(type(tracker), "comment", killed)
        with pytest.raises(Killed):
            deliver(order(fingerprint, 21), tracker)
    done = deliver(order(fingerprint, 21), tracker)
    assert done.ticket.key == ticket.key and done.delivered
    files = attached.real.files(ticket.key)
    assert len(files[f"{order(fingerprint, 21).stem}.html"]) == 1
    assert sum(order(fingerprint, 21).report in text for text in tracker.texts(ticket) if "Seen again" in text) == 1


def test_a_named_ticket(attached: Attached, order: Callable[..., Order], fingerprint: str) -> None:
    """A ticket of somebody else gets report and summary once; another incident's report goes beside it."""
    ticket = attached.tracker.create("A ticket of a person", "Calls fail since noon.", uuid4().hex[:12])
    for _ in range(2):
        assert deliver(order(fingerprint, issue=ticket.key), attached.tracker).ticket.key == ticket.key
    assert len(attached.real.files(ticket.key)[f"{order(fingerprint).stem}.html"]) == 1
    assert (
        sum(order(fingerprint).report in text and "Cause" not in text[:5] for text in attached.tracker.texts(ticket))
        >= 1
    )


@dataclass(frozen=True)
class Planted:
    """A case whose logs hold a key, and its reports: masked, unmasked, and with the rules left out that know the key."""

    case: Path
    masked: Path
    unmasked: Path
    weak: Path


def some_rules() -> RuleSet:
    return builtin_rules().only(["runner-crash"])


@pytest.fixture(scope="module")
def planted(fixtures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Logs in which every line of the server's that has named values has a key among them."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(fixtures_dir / "logs" / "runner-crash", folder / "logs")
    log = folder / "logs" / "server.log"
    lines = (f"{line} api_key={PLANTED}" if "level=" in line else line for line in log.read_text("utf-8").splitlines())
    log.write_text("\n".join(lines) + "\n", "utf-8")
    made = Planted(*(folder / name for name in ("planted.duckdb", "masked.html", "unmasked.html", "weak.html")))
    with Case(made.case) as case:
        ingest([folder / "logs"], case)
        diagnosis = analyze(case, rules=some_rules())
    made.masked.write_text(render_html(diagnosis), "utf-8")
    made.unmasked.write_text(render_html(diagnosis, redact.Redaction(on=False)), "utf-8")
    table = redact._table
    others = tuple(r for r in redact.rules() if not list(redact._Table((r,)).hits(f"api_key={PLANTED}".encode())))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact, "_table", lambda gate_only: table(True) if gate_only else redact._Table(others))
        made.weak.write_text(render_html(diagnosis), "utf-8")
    return made


def test_a_secret_in_the_logs_reaches_no_tracker(
    attached: Attached, planted: Planted, run: Callable[..., Result]
) -> None:
    assert PLANTED in planted.unmasked.read_text("utf-8"), "the test could not fail"
    done = run("attach", str(planted.masked), *attached.options(), "--new", "--json", "-q", env=attached.environment)
    assert done.exit_code == 0, done.output
    ticket = json.loads(done.stdout)["ticket"]["key"]
    assert any(name.endswith(".html") for name in attached.real.files(ticket))
    assert PLANTED.encode() not in attached.real.everything(ticket)
    assert PLANTED not in done.output


def test_an_unmasked_report_and_a_disabled_rule_are_held_back(
    attached: Attached, planted: Planted, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("investigator.tickets.http._Patient.send", lambda *_, **__: sent.append("sent"))
    for report, says in ((planted.unmasked, "--no-redact"), (planted.weak, "looks like a secret")):
        done = run("attach", str(report), *attached.options(), env=attached.environment)
        assert done.exit_code == 4 and "held back" in done.stderr and says in done.stderr
        assert PLANTED not in done.output
    assert sent == []


def test_a_case_remembers_its_ticket(
    attached: Attached, planted: Planted, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    if attached.real.name != "roundup":
        pytest.skip("the same for all")
    some = some_rules()
    monkeypatch.setattr("investigator.pipeline.builtin_rules", lambda *_: some)
    done = run("attach", str(planted.case), *attached.options(), "--json", "-q", env=attached.environment)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    with Case(planted.case, read_only=True) as case:
        sql = "SELECT ticket, rung, result, done FROM tickets.deliveries ORDER BY ALL"
        rows = case.connection.execute(sql).fetchall()
    assert rows == sorted((told["ticket"]["key"], s["rung"], s["result"], s["done"]) for s in told["steps"])
    # The report of the same incident joins the case's ticket.
    again = run("attach", str(planted.masked), *attached.options(), "--json", "-q", env=attached.environment)
    assert json.loads(again.stdout)["ticket"] == told["ticket"]


def test_a_dry_run_changes_nothing_and_shows_no_token(
    attached: Attached, planted: Planted, run: Callable[..., Result]
) -> None:
    fingerprint = uuid4().hex[:12]
    report = planted.masked.with_name(f"{fingerprint}.html")
    report.write_bytes(planted.masked.read_bytes())
    done = run("attach", str(report), *attached.options(), "--dry-run", env=attached.environment)
    assert done.exit_code == 0 and attached.tracker.find(fingerprint) is None
    assert "POST " in done.stdout and "sha256" in done.stdout and "***" in done.stdout
    assert attached.real.token not in done.output and attached.real.token.partition(":")[2] not in done.output.split()
