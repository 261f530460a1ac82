"""The quickstart, followed as it is written."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.test_confirming_by_mail import mailed
from tests.journeys.test_first_readout import serious_problems
from tests.running import Running

ROOT = Path(__file__).parents[2]
STEP = re.compile(
    r"^\d+\. (Open `(?P<address>[^`]+)`|Press \*\*(?P<button>[^*]+)\*\*|Copy the \*\*(?P<copied>[^*]+)\*\*"
    r"|Fill \*\*(?P<field>[^*]+)\*\* with (?:`(?P<value>[^`]+)`|the code))",
    re.MULTILINE,
)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN = "http://127.0.0.1:8000"


def follow(page: Page, product: Running, step: re.Match[str], email: str) -> str:
    """Do what one step says; what it has the reader copy."""
    if address := step["address"]:
        page.goto(address.replace(WRITTEN, product.url))
    elif label := step["field"]:
        value = step["value"] or mailed(product, email, r"\b(\d{6})\b")
        page.get_by_label(label, exact=True).fill(value)
    elif name := step["button"]:
        wanted = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first
        expect(wanted).to_be_visible(timeout=30_000)
        wanted.click()
    elif label := step["copied"]:
        return page.get_by_label(label, exact=True).inner_text()
    return ""


def test_whoever_follows_the_quickstart_reads_their_risk_by_key(page: Page, product: Running) -> None:
    written = (ROOT / "docs/quickstart.md").read_text()
    email = re.findall(r"`(\S+@\S+)`", written)[0]
    steps = list(STEP.finditer(written))
    assert len(steps) == len(re.findall(r"^\d+\. ", written, re.MULTILINE))
    key = "".join(follow(page, product, step, email) for step in steps)
    assert key.startswith("pfx_test_")
    page.goto("/api-keys")
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    assert serious_problems(page) == []
    page.goto("/developers")
    assert serious_problems(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0

    first, *commands = COMMANDS.findall(written)
    assert first == "make run\n"  # that is how this product was started: the Makefile runs `payflux run`
    assert "$(BIN)/payflux run\n" in (ROOT / "Makefile").read_text()
    answers = []
    for command in commands:
        ready = command.replace(WRITTEN, product.url).replace("pfx_test_...", key)
        ready = ready.replace(".venv/bin/", f"{sysconfig.get_path('scripts')}/")
        ended = subprocess.run(
            ["bash", "-euc", ready],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        answers.append(ended.stdout)
    assert len(answers) == 3
    assert '"risk_band":"elevated"' in answers[0]
    assert answers[1].startswith("Tier 3, elevated: ")
    assert answers[1].count("may be trapped") == 3
    assert answers[2].startswith("Passed")
