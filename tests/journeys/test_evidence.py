"""A member hands the evidence on: looks at a proof, has the dossier made, and saves it."""

from __future__ import annotations

import io
from pathlib import Path

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.journeys.test_first_readout import connect, register, serious_problems


def test_alice_checks_a_proof_and_saves_the_dossier(page: Page, tmp_path: Path) -> None:
    register(page, "alice")
    connect(page, "default")
    page.get_by_role("link", name="Enter your workspace").click(timeout=30_000)
    page.get_by_role("link", name="Evidence", exact=True).click()
    page.get_by_role("link", name="3. Projection").click()
    expect(page.get_by_role("heading", name="Verify it yourself")).to_be_visible()
    assert serious_problems(page) == []
    page.get_by_role("link", name="Evidence", exact=True).first.click()
    page.get_by_role("button", name="Make the dossier").click()
    page.get_by_text("Export artifacts").click()
    page.get_by_label("First artifact").fill("2")
    page.evaluate("window.loadedOnce = true")
    expect(page.get_by_role("link", name="Download")).to_be_visible(timeout=30_000)
    assert page.evaluate("window.loadedOnce"), "the page has shown it by itself"
    expect(page.get_by_label("First artifact")).to_have_value("2")
    with page.expect_download() as saving:
        page.get_by_role("link", name="Download").click()
    saving.value.save_as(tmp_path / "dossier.pdf")
    reader = PdfReader(io.BytesIO((tmp_path / "dossier.pdf").read_bytes()))
    assert set(reader.attachments) == {"dossier.json", "evidence.jsonl"}
    for each in page.locator("summary").all():
        if each.is_visible():
            each.click()
    for width, scheme in ((390, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        assert serious_problems(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
