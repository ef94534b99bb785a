"""The report in a real browser: it asks nothing, says nothing on the console, runs nothing, and fits phone and paper."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from investigator.pipeline import investigate
from investigator.report import render_html
from investigator.scan.baselines import Drop, Measure
from investigator.scan.overview import Overview, lines, trends
from investigator.scan.overview import render as render_overview

pytestmark = pytest.mark.browser

#: What trackers send with an attachment.
REDMINE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
JENKINS = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"

#: Boxes that stick out of the page to the right, and text that is cut off.
OVERFLOWING = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (e) => e && (getComputedStyle(e).overflowX === 'auto' || scrolls(e.parentElement));
  return [...document.querySelectorAll('body *')].filter((e) => !scrolls(e) && e.getBoundingClientRect().right > wide + 0.5
    && getComputedStyle(e).position !== 'absolute').map((e) => e.tagName + '.' + e.getAttribute('class'));
}"""

#: Pairs of text and background whose contrast is below WCAG AA, by element.
LOW_CONTRAST = """() => {
  const rgb = (c) => c.match(/[\\d.]+/g).map(Number);
  const lum = (c) => { const [r, g, b] = rgb(c).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const back = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] !== 0) return c; } return 'rgb(255,255,255)'; };
  const out = new Set();
  for (const e of document.querySelectorAll('body *:not(title, desc, style)')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(e);
    const ink = e.ownerSVGElement ? style.fill : style.color;
    const [a, b] = [lum(ink), lum(back(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) out.add(e.tagName + '.' + e.getAttribute('class') + ' ' + ratio.toFixed(2));
  }
  return [...out];
}"""


@pytest.fixture(scope="module")
def pages(sample: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    cases = {
        "one": sample.diagnosis(),
        "several": sample.several(),
        "empty": sample.empty(),
        "large": sample.large(900),
    }
    texts = {name: render_html(case) for name, case in cases.items()} | {"nights": nights()}
    found = {name: folder / f"{name}.html" for name in texts}
    for name, text in texts.items():
        found[name].write_text(text, encoding="utf-8")
    return found


def nights() -> str:
    """The overview of a month of scans, with a trend that got worse."""
    history = [
        {"night": n, "identity": "a", "change": "new" if n == 3 else "continuing", "title": "Reading takes too long",
         "cause": None, "severity": "high", "sentence": "s", "model": "qwen3-coder:30b", "place": "logs/server.log",
         "failed_calls": n, "first_night": 3, "nights": n, "report": f"n{n}/a.html"}
        for n in range(3, 31)
    ]  # fmt: skip
    key = ("logs/server.log", "qwen3-coder:30b", "prefill_tps")
    drop = Drop(Measure(*key, 300.0, 9), 400.0, 5, 0.25)
    numbers = list(range(1, 31))
    heads = tuple((n, f"{n} Nov", f"night {n}") for n in numbers)
    told = trends({key: [410.0, 400.0, 390.0, 300.0]}, [drop])
    return render_overview(Overview("0", heads, lines(history, numbers), told, ("close to its limit",), ("a note",)))


@pytest.fixture(scope="module")
def serve(pages: dict[str, Path]) -> Iterator[Callable[[str], str]]:
    """`serve(policy)` gives an address on loopback where the page comes with that content policy."""
    body = pages["one"].read_bytes()
    servers = []

    class Handler(BaseHTTPRequestHandler):
        def __init__(self, policy: str, *args: Any) -> None:
            self.policy = policy
            super().__init__(*args)

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", self.policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    def start(policy: str) -> str:
        server = HTTPServer(("127.0.0.1", 0), partial(Handler, policy))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("name", ["one", "several", "empty", "large", "nights"])
def test_silent_alone_and_nothing_overflows(open_page: Callable[..., Any], pages: dict[str, Path], name: str) -> None:
    opened = open_page(pages[name])
    page = opened.page
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for width in (360, 700, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERFLOWING) == []
    assert opened.console == [] and opened.requests == []


def test_hostile_text_does_not_run(open_page: Callable[..., Any], pages: dict[str, Path]) -> None:
    opened = open_page(pages["one"])
    dialogs: list[str] = []
    opened.page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    opened.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert opened.page.locator("text=<script>alert").count() >= 1
    assert opened.page.evaluate("document.scripts.length + document.images.length") == 0
    assert dialogs == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(open_page: Callable[..., Any], pages: dict[str, Path], scheme: str) -> None:
    page = open_page(pages["several"], color_scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate(LOW_CONTRAST) == []


def test_dark_is_dark(open_page: Callable[..., Any], pages: dict[str, Path]) -> None:
    light, dark = (open_page(pages["one"], color_scheme=scheme).page for scheme in ("light", "dark"))
    for look in ("document.body", "document.querySelector('.c-prefill')"):
        style = f"getComputedStyle({look}).{'fill' if 'c-' in look else 'backgroundColor'}"
        assert light.evaluate(style) != dark.evaluate(style)


def test_a_number_leads_to_its_line(open_page: Callable[..., Any], pages: dict[str, Path]) -> None:
    page = open_page(pages["one"]).page
    link = page.locator("a:text-is('verbose.txt:9')").first
    link.focus()
    page.keyboard.press("Enter")
    target = page.locator(link.get_attribute("href"))
    assert "prompt eval rate" in target.inner_text()
    assert target.evaluate("(e) => e.getBoundingClientRect().top < innerHeight")
    target.locator("summary").press("Enter")
    assert page.locator(f"{link.get_attribute('href')} .lines").is_visible()


def test_paper_shows_what_is_folded(open_page: Callable[..., Any], pages: dict[str, Path]) -> None:
    page = open_page(pages["one"], viewport={"width": 690, "height": 980}).page
    folded = page.locator(".lines").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert page.locator("svg.chart.wide").first.is_visible() and not page.locator("svg.chart.narrow").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 690
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) >= 5


@pytest.mark.parametrize("policy", [REDMINE, JENKINS], ids=["redmine", "jenkins"])
def test_under_a_trackers_policy_text_and_colours_stay(
    browser: Any, serve: Callable[[str], str], open_page: Callable[..., Any], pages: dict[str, Path], policy: str
) -> None:
    page = browser.new_context().new_page()
    page.goto(serve(policy))
    # Under a policy that blocks the style sheet the phone's charts must not show up as well.
    assert page.locator("svg.chart.wide").first.is_visible() and not page.locator("svg.chart.narrow").first.is_visible()
    assert (
        page.locator("svg.chart.wide .c-prefill").first.evaluate("(e) => getComputedStyle(e).fill")
        == "rgb(11, 100, 120)"
    )
    words = "document.body.textContent.replace(/\\s+/g, ' ')"
    assert page.evaluate(words) == open_page(pages["one"]).page.evaluate(words)
    page.context.close()


def test_works_without_scripts(browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["one"].as_uri())
    assert "366.9 s" in page.locator("main").inner_text()
    context.close()


def test_a_hostile_log_through_the_whole_pipeline_runs_nothing(
    open_page: Callable[..., Any], payloads: list[str], fixtures_dir: Path, tmp_path: Path
) -> None:
    """Every payload in a log: on lines of its own, and inside the messages of errors, which the report cites."""
    whole = (fixtures_dir / "logs" / "runner-crash" / "server.log").read_text(encoding="utf-8").splitlines()
    log, rest = [], iter(payloads * 2)
    for line in whole:
        log.append(line)
        if any(word in line for word in ("level=ERROR", "level=WARN", "panic", "error")):
            log += [f"{line} {next(rest, '')}", next(rest, "")]
    log += rest
    path = tmp_path / "server.log"
    path.write_text("\n".join(log) + "\n", encoding="utf-8", errors="surrogateescape")
    assert len(set(payloads)) >= 200 and not [p for p in payloads if p not in path.read_text(encoding="utf-8")]
    report = tmp_path / "hostile.html"
    report.write_text(render_html(investigate([path])), encoding="utf-8")
    opened = open_page(report)
    dialogs: list[str] = []
    opened.page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    opened.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    opened.page.mouse.move(300, 300)
    words = opened.page.evaluate("document.body.textContent")
    assert sum(payload.strip() in words for payload in set(payloads)) >= 5
    assert opened.page.evaluate("document.scripts.length + document.images.length + frames.length") == 0
    assert (dialogs, opened.console, opened.requests) == ([], [], [])
