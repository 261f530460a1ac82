"""One running product and one browser for all journeys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import open_folder
from tests.running import Running, running_product


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with open_folder() as folder, running_product(folder, tmp_path_factory.mktemp("log") / "run.log") as product:
        yield product


@pytest.fixture
def page(browser: Browser, product: Running, tmp_path: Path) -> Iterator[Page]:
    """A fresh browser window that fails the test for an error in a script or a refused resource."""
    context = browser.new_context(base_url=product.url, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []
