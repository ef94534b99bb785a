"""Reports to attach and trackers to attach them to."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from investigator.cli import main
from investigator.report.html import render_html
from investigator.tickets.ladder import Order
from investigator.tickets.model import Target, Tracker
from investigator.tickets.reading import Reading, read_report
from investigator.tickets.registry import connect

# A test module cannot import its neighbours under importlib mode.
sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from servers import Real

REPORT_TESTS = Path(__file__).parents[1] / "report"


def _module(stem: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tickets_{stem}", folder / f"{stem}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def html() -> str:
    """The report of the founding incident, made by hand, with hostile text among its evidence."""
    return render_html(_module("sample", REPORT_TESTS).diagnosis())


@pytest.fixture(scope="session")
def order(html: str) -> Callable[..., Order]:
    """An order of that report; `minutes` makes it another report of the same incident."""

    @cache
    def read(minutes: int) -> tuple[Reading, str]:
        changed = html.replace("15 min", f"{minutes} min")
        return read_report(changed, "report.html"), changed

    def make(fingerprint: str, minutes: int = 15, **more: object) -> Order:
        return Order(fingerprint, *read(minutes), **more)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """The same timeline goes to each tracker a hundred times; drawing it takes longer than delivering it."""
    try:
        import resvg_py
    except ImportError:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resvg_py, "svg_to_bytes", cache(resvg_py.svg_to_bytes))
        yield


@dataclass
class Attached:
    """A real tracker and our adapter for it."""

    real: Real
    tracker: Tracker
    environment: dict[str, str]

    def options(self) -> list[str]:
        """For the command line."""
        return ["--to", self.real.name, "--url", self.real.url] + (
            ["--project", self.real.project] if self.real.project else []
        )


def _runs(name: str) -> bool:
    asked = "trackers" in os.environ.get("INVESTIGATOR_TEST", "")
    return asked and (shutil.which("rt-5") is not None if name == "rt" else Path("/usr/share/redmine").is_dir())


@pytest.fixture(scope="session", params=["roundup", pytest.param("redmine"), pytest.param("rt")])
def attached(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attached]:
    """Each real tracker: Roundup always, Redmine and Request Tracker for `make test-trackers`."""
    import servers

    name = request.param
    if name != "roundup" and not _runs(name):
        pytest.skip("only `make test-trackers` starts this one")
    start: Callable[[Path], AbstractContextManager[Real]] = getattr(servers, name)
    with start(tmp_path_factory.mktemp(name)) as real:
        environment = {f"INVESTIGATOR_{name.upper()}_TOKEN": real.token}
        yield Attached(real, connect(name, real.url, Target(real.project), environment=environment), environment)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The program in this process."""

    def _run(*args: str, env: dict[str, str] | None = None) -> Result:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(main, [*args])

    return _run
