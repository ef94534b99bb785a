"""axe-core finds nothing to say of any page, in light and in dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from investigator.report import Redaction, render_html

pytestmark = pytest.mark.browser

#: What axe found, as `rule: element`, with every `<details>` open. A scheme changes colours alone, so that the other
#: rules look at dark pages in the long tier only.
RUN = """async (scheme) => {
  document.querySelectorAll('details').forEach((d) => { d.open = true; });
  const only = scheme === 'dark' ? { runOnly: ['color-contrast'] } : {};
  const found = await axe.run(document, { resultTypes: ['violations'], ...only });
  return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}`));
}"""


@pytest.fixture(scope="module")
def pages(sample: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("axe")
    texts = {
        "one": render_html(sample.diagnosis()),
        "several": render_html(sample.several(), Redaction(on=False)),
        "empty": render_html(sample.empty()),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.mark.parametrize("scheme", ["light", "dark", pytest.param("dark, all rules", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["one", "several", "empty"])
def test_axe_finds_nothing(
    open_page: Callable[..., Any], pages: dict[str, Path], node_modules: Path, name: str, scheme: str
) -> None:
    # The page's own policy refuses every script, the tester's too.
    page = open_page(pages[name], color_scheme=scheme.partition(",")[0], bypass_csp=True).page
    page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8") + ";undefined")
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(RUN, scheme) == []
    if name == "empty":
        # It is small, and what is wrong there is seen.
        pale = "#999999" if scheme == "light" else "#555555"
        page.evaluate(f"document.documentElement.removeAttribute('lang'); document.body.style.color = '{pale}'")
        seen = {found.partition(":")[0] for found in page.evaluate(RUN, scheme)}
        assert seen == {"color-contrast"} | ({"html-has-lang"} if scheme != "dark" else set()), "axe does not look"
