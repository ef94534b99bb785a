"""Markup, tokens, addresses, trimming: what needs no tracker."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from pathlib import Path

import pytest

from investigator.errors import DeliveryProblem, UsageProblem
from investigator.tickets import files, summary, trim
from investigator.tickets.gate import check_file
from investigator.tickets.http import Client, checked_url
from investigator.tickets.markup import MARKUPS, Marker, markers
from investigator.tickets.reading import fingerprint, read_report
from investigator.tickets.secrets import Token, token

HOSTILE = [
    "@admin look", "see #12 and !34", "GH-12 OPS-7", "issue12 msg3 r4 commit:1a2b", "http://evil.example/x",
    "www.evil.example", "/close", "**bold** _it_ ~~no~~", "[[Wiki]] {{toc}}", "[x](http://evil.example)",
    "{noformat} {code} h1. x", "<b>x</b> <!-- y -->", "|a|b|", "&lt;b&gt;", "`code`", "!pic.png!",
]  # fmt: skip


@pytest.mark.parametrize("name", MARKUPS)
@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_stays_text(name: str, text: str) -> None:
    made = MARKUPS[name].text(text)
    # An escaped sign, an entity and a sign before a space are harmless.
    bare = re.sub(r"\\.|&#\d+;|[@#] ", "", made)
    assert not re.search(r"@[A-Za-z]|#\d", bare)
    assert "http://" not in made and not made.startswith("/close" if name == "markdown" else "\0")
    assert not re.search(r"\b(issue|msg|r)\d|\b(GH|OPS)-\d", made)
    if name in ("markdown", "textile"):
        assert "<b>" not in made
    if name == "jira":
        assert not re.search(r"(?<!\\)[{}\[\]*!|]", made)


def test_a_block_cannot_be_left() -> None:
    assert MARKUPS["markdown"].block("a\n```\nb").splitlines()[0] == "````"
    assert MARKUPS["textile"].block("</pre><b>x").count("</pre>") == 1
    assert MARKUPS["jira"].block("{noformat} *x*").count("{noformat}") == 2
    assert "@ admin" in MARKUPS["plain"].block("@admin")


@pytest.mark.parametrize("name", MARKUPS)
def test_a_summary_fits_and_knows_itself(name: str, html: str) -> None:
    reading = read_report(html, "report.html")
    marker = Marker("0123456789ab", "deadbeef", reading.state)
    made = summary.body(reading, MARKUPS[name], marker, "How to open: as usual")
    assert len(made.encode()) <= summary.MAX_BYTES and made.count("How to open") == 1
    (found,) = markers(made)
    assert (found.incident, found.report, found.state) == ("0123456789ab", "deadbeef", summary.marker_state(reading))
    for part in ("Three runs", "15,688 tokens", "PARAMETER num_ctx 262144"):
        assert part in made


def test_what_a_report_says(html: str) -> None:
    reading = read_report(html, "report.html")
    assert reading.verdict == "Cause found" and reading.severity == "high" and reading.incidents == 1
    assert reading.tiles[0] == ("3", "failed calls")
    assert (reading.sums[0].expr, reading.sums[0].value) == ("146,760 − 131,072", "15,688 tokens")
    assert [bool(fix.text) for fix in reading.fixes] == [True, True] and reading.timeline.startswith("<svg")
    assert fingerprint(reading, "report.html") == reading.incident
    assert fingerprint(reading, "0123456789ab.html") == "0123456789ab"
    with pytest.raises(UsageProblem, match="not an HTML report"):
        read_report("<html><title>x</title></html>", "x.html")


def test_trimmed_reports_are_whole_pages(html: str) -> None:
    sizes = [len(html)]
    for page in trim.smaller(html):
        sizes.append(len(page))
        assert page.count("<section") == page.count("</section>") and page.count("<figure") == page.count("</figure>")
        assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'\bid="([^"]+)"', page))
        assert "left out" in page and "15,688" in page and page.rstrip().endswith("</html>")
    assert sizes == sorted(sizes, reverse=True) and len(sizes) >= 4


def test_forms_hold_the_report_and_are_the_same_twice(html: str) -> None:
    plain, packed, zipped = (form("name", html) for form in files.FORMS)
    assert plain.data == gzip.decompress(packed.data) == html.encode()
    assert zipfile.ZipFile(io.BytesIO(zipped.data)).read("name.html") == html.encode()
    assert [form("name", html).sha256 for form in files.FORMS] == [f.sha256 for f in (plain, packed, zipped)]


@pytest.mark.parametrize("number", range(3))
def test_the_gate_looks_into_packed_files(number: int) -> None:
    with pytest.raises(DeliveryProblem, match="held back") as caught:
        check_file(files.FORMS[number]("name", "x sk-ant-api03-Zq7Rk2Vw9Xb4Nf6Hs1Jd3Lg5 y"))
    assert caught.value.exit_code == 4 and "Zq7R" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://tracker.example.org/redmine/", True),
        ("http://127.0.0.1:3000", True),
        ("http://localhost/x", True),
        ("http://[::1]:80", True),
        ("http://tracker.example.org", False),
        ("http://127.0.0.1.evil.example", False),
        ("https://user:pw@tracker.example.org", False),
        ("ftp://tracker.example.org", False),
        ("tracker.example.org", False),
    ],
)
def test_addresses(url: str, good: bool) -> None:
    if good:
        assert checked_url(url) == url.rstrip("/")
    else:
        with pytest.raises(UsageProblem) as caught:
            checked_url(url)
        assert "pw" not in str(caught.value).replace("password", "")


def test_where_a_token_comes_from(tmp_path: Path) -> None:
    (tmp_path / "rt-token").write_text("from-a-file\n")
    folder = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert token("rt", folder).value == "from-a-file"
    assert token("rt", {**folder, "INVESTIGATOR_RT_TOKEN": "from-the-environment"}).value == "from-the-environment"
    with pytest.raises(UsageProblem, match="INVESTIGATOR_JIRA_TOKEN"):
        token("jira", folder)
    with pytest.raises(UsageProblem, match="one line") as caught:
        token("jira", {"INVESTIGATOR_JIRA_TOKEN": "hidden\nX-Evil: 1"})
    assert "hidden" not in str(caught.value)


def test_a_token_is_shown_nowhere() -> None:
    secret = Token("a-token-of-a-test")
    assert "a-token" not in f"{secret} {secret!r}"
    client = Client("https://tracker.example.org", secret, {"PRIVATE-TOKEN": secret.value})
    assert "a-token" not in repr(client)
