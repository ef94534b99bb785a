"""Fixtures for all tests: the shared corpus, the repository's fixtures, a browser, and an empty home for each test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers share the cores already. Polars reads this when it is imported.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = Path("/usr/bin/chromium")
#: Where this checkout and its owner live, as long as that says anything: a home is replaced in every test.
_MACHINE_PLACES = tuple(f"{place}/" for place in (ROOT, ROOT.parent, Path.home()) if place != Path("/"))

# Derandomised: a red build must be red again for the person who looks into it. The long tier explores.
settings.register_profile("default", max_examples=50, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "long", max_examples=1000, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

_homes = count()


def _unavailable(reason: str) -> NoReturn:
    """Skip with a reason, but fail in CI: a gate that skips in silence is no gate."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason} (CI=true: nothing may be skipped for want of it)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with `knowledge/` and `corpus/`: INVESTIGATOR_SHARED, by default beside the repository."""
    path = (ROOT / os.environ.get("INVESTIGATOR_SHARED", "../shared")).resolve()
    if not (path / "corpus").is_dir():
        _unavailable("INVESTIGATOR_SHARED does not name a folder with corpus/ and knowledge/")
    return path


@pytest.fixture(scope="session")
def machine_places() -> tuple[str, ...]:
    """Folders of this machine, which no committed file may name."""
    return _MACHINE_PLACES


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """`fixtures/`: one folder per incident, with its logs and what must be found."""
    return ROOT / "fixtures"


@pytest.fixture(scope="session")
def rules_dir() -> Path:
    """`rules/`: the built-in pack."""
    return ROOT / "rules"


@pytest.fixture(scope="session")
def _homes_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The program's cache of checked rules, one for the workers of a run: checking them anew takes seconds each time.

    Already for fixtures of a module: they are made before a test has a home of its own.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def isolated_home(_homes_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for every test: no test reads the developer's configuration or leaves anything in it.

    The cache alone is shared (`shared_cache`): it is known by content.
    """
    home = _homes_dir / str(next(_homes))
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / f".{name.lower()}"))
    # COLUMNS and LINES: pytest-xdist sets them for its workers.
    for name in ("NO_COLOR", "FORCE_COLOR", "OLLAMA_HOST", "OLLAMA_MODELS", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    return home


@dataclass
class OpenedPage:
    """A page in the browser, with everything it said and asked for while it loaded."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    if not CHROMIUM.is_file():
        _unavailable(f"{CHROMIUM} is not installed (Debian package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium refuses its sandbox as root, which is what a CI container runs as.
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=args)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., OpenedPage]]:
    """`open_page(path, **context_options)` opens a local file; console messages and requests are recorded.

    The request for the file itself is not counted.
    """
    contexts = []

    def _open(path: Path, **options: object) -> OpenedPage:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        opened = OpenedPage(context.new_page())
        url = path.resolve().as_uri()
        opened.page.on("console", lambda message: opened.console.append(message.text))
        opened.page.on("pageerror", lambda error: opened.console.append(str(error)))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(url, wait_until="load")
        opened.requests.remove(url)
        return opened

    yield _open
    for context in contexts:
        context.close()
