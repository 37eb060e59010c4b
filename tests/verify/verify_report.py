"""How the pages look, in headless Chromium: screenshots to look at, and a measure of what an eye would stumble over.

It writes the screenshots into ``outputs/verify-report``, light and dark, on a wide and on a narrow screen.
"""

import json
import os
import re
import shutil
import subprocess
from html import unescape

import pytest

from runners.apps import report as report_app
from tests.support.processes import ROOT
from tests.support.samples.runs import make_run
from tests.support.samples.sweeps import make_sweep

pytestmark = pytest.mark.process

SHOTS = ROOT / "outputs" / "verify-report"
LONG = "lift the red block and hold it well above the table, without dropping it or touching anything else"
SCREENS = {"wide": (1200, 2400), "narrow": (500, 2400)}  # 500 is the least that Chromium opens
SCHEMES = {"dark": 0, "light": 1}

MEASURE = """
<script>
const luminance = colour => {
  const [r, g, b] = colour.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const parsed = text => text.match(/[\\d.]+/g).map(Number);
const ground = element => {
  for (; element; element = element.parentElement) {
    const colour = parsed(getComputedStyle(element).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour.slice(0, 3);
  }
  throw Error("nothing behind it");
};
const unseen = element => element && (getComputedStyle(element).clipPath !== "none" || unseen(element.parentElement));
addEventListener("load", () => {
  const texts = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    if (!element.checkVisibility() || unseen(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) texts.push({text: node.data.trim(), element, box});
  }
  const overlapping = [], faint = [], small = [];
  texts.forEach(({text, element, box: a}, i) => {
    texts.slice(i + 1).forEach(({text: other, box: b}) => {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (text !== other && wide > 1 && high > 3) overlapping.push([text, other]);
    });
    const [light, dark] = [parsed(getComputedStyle(element).color).slice(0, 3), ground(element)]
      .map(luminance).sort((x, y) => y - x);
    if ((light + .05) / (dark + .05) < 4.5) faint.push(text);
    if (parseFloat(getComputedStyle(element).fontSize) < 11) small.push(text);
  });
  const page = document.documentElement;
  document.body.dataset.measured = JSON.stringify({
    texts: texts.length, overlapping, faint, small, cut: page.scrollWidth > page.clientWidth,
    dark: luminance(ground(document.body)) < .2,
  });
});
</script>
"""


@pytest.fixture(scope="session")
def chromium():
    """Return the browser's command, installing it where it is missing."""
    if not shutil.which("chromium"):
        subprocess.run(["apt-get", "update"], check=True)
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", "chromium"], check=True)

    def run(page, screen, scheme, *what):
        size = ",".join(map(str, SCREENS[screen]))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=4000"]
        options += [f"--window-size={size}", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"]
        command = ["chromium", *options, *what, page.as_uri()]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout

    return run


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Write runs with all that a page can hold, and the page over them; return the pages by name."""
    folder = tmp_path_factory.mktemp("runs")
    texts = ("pick up the cube", LONG, "")
    make_run(
        folder / "failures", 60, rate=0.7, instructions=texts, errors=(7, 31), min_success=0.8, videos=True, kept=True
    )
    make_run(folder / "early", 400, rate=0.9, ci_width=0.25, min_success=0.5)
    make_run(folder / "killed", 14, rate=1.0)
    (folder / "killed" / "summary.json").unlink()
    with pytest.raises(SystemExit):
        report_app.main([str(folder), "--output", str(folder / "runs.html")])
    swept = f'instruction.text="pick up the cube","{LONG}","open the drawer"'
    unfinished = ["cut off", "failed", "not begun"]
    make_sweep(folder / "sweep", swept, "seed=0,1,2", "server.host=10.0.0.7", unfinished=unfinished)
    with pytest.raises(SystemExit):
        report_app.main([str(folder / "sweep"), "--output", str(folder / "sweep.html")])
    return {
        "sweep": folder / "sweep.html",
        "run": folder / "failures" / "report.html",
        "early": folder / "early" / "report.html",
        "runs": folder / "runs.html",
    }


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", ["run", "early", "runs", "sweep"])
def test_page_looks_right(chromium, pages, name, screen, scheme):
    SHOTS.mkdir(parents=True, exist_ok=True)
    shot = SHOTS / f"{name}_{screen}_{scheme}.png"
    chromium(pages[name], screen, scheme, f"--screenshot={shot}")
    print(f"\nLook at {os.path.relpath(shot)}")
    assert shot.stat().st_size > 20_000, "the page is empty"

    measured_page = pages[name].with_name(f"measured_{pages[name].name}")
    measured_page.write_text(pages[name].read_text().replace("</body>", f"{MEASURE}</body>"))
    told = re.search(r'data-measured="([^"]+)"', chromium(measured_page, screen, scheme, "--dump-dom"))
    measured = json.loads(unescape(told[1]))
    assert measured["texts"] > 40
    assert measured["dark"] == (scheme == "dark")
    assert not measured["cut"], "the page is wider than the screen"
    assert measured["overlapping"] == []
    assert measured["faint"] == [], "text that is hard to read on what lies behind it"
    assert measured["small"] == []
