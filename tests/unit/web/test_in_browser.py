"""The pages in a real Chromium, under the product's content security policy: scripts, keyboard, width and access."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.unit.web.samples import PAGES, ROOT, stages
from tests.unit.web.server import SampleServer, serving
from tests.unit.web.walking import Walk

TOO_LONG = {"developers"}
"""Pages of a few parts repeated hundreds of times, which axe looks at in short."""
FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const ringed = element.type === 'date' || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {
    number: [...document.querySelectorAll('*')].indexOf(element),
    html: element.cloneNode(false).outerHTML,
    seen: ringed && box.width > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""
"""The element that has the focus by its place in the document, and whether one sees that: of a date the browser itself
marks the part that has it."""
CONTROLS = """() => [...document.querySelectorAll('*')]
  .map((element, number) => [number, element])
  .filter(([, element]) => element.matches('a[href], button, input:not([type=radio]), select, textarea, summary'))
  .filter(([, element]) => element.checkVisibility({ visibilityProperty: true }) && !element.matches(':disabled'))
  .filter(([, element]) => !element.closest('.trap, [aria-hidden=true]'))
  .map(([number, element]) => [number, element.cloneNode(false).outerHTML])"""
"""Every control that is shown and can be used, by its place in the document; of radio buttons the group is one stop."""
LOOKS = [name for name in PAGES if not name.startswith("error-") and name not in TOO_LONG] + ["error-404"]
CSS = ROOT / "static/css"


@pytest.fixture
def server() -> Iterator[SampleServer]:
    with serving() as server:
        yield server


@contextmanager
def watched_page(browser: Browser) -> Generator[Page, None, None]:
    """A page on which no script fails and nothing is refused."""
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched_page(browser) as page:
        yield page


def progress(finished: int, counted: str = "") -> dict[str, object]:
    return {"stages": stages(finished, counted), "done": finished == 4, "slow": False, "problem": None}


def still_arming(server: SampleServer) -> None:
    server.progress = [progress(1)]


@pytest.fixture(scope="module")
def walk(browser: Browser) -> Walk:
    """Every page, loaded once: to load one takes a browser longer than to look at it."""
    walk = Walk()
    with serving() as server, watched_page(browser) as page:
        still_arming(server)
        for name in TOO_LONG:
            walk.measure(page, name, f"{server.url}/pages/{name}")
        for name in LOOKS:
            walk.look_at(page, name, f"{server.url}/pages/{name}", f"{server.url}/axe.js")
    return walk


def test_no_page_breaks_an_accessibility_rule_at_any_width_in_either_scheme(walk: Walk) -> None:
    assert {page: rules for page, rules in walk.broken.items() if rules} == {}


def test_no_page_is_wider_than_the_screen(walk: Walk) -> None:
    assert {page: pixels for page, pixels in walk.beyond.items() if pixels > 0} == {}


def test_colours_alone_depend_on_the_scheme() -> None:
    """What `Walk` relies on: the one thing that a style sheet asks of the scheme is which of two colours it takes."""
    for sheet in CSS.glob("*.css"):
        text = sheet.read_text()
        assert "prefers-color-scheme" not in text, sheet.name
        if sheet.name == "tokens.css":
            asked = re.findall(r"([\w-]+): [^;]*light-dark\(([^()]*)\)", text)
            assert len(asked) > 10
            assert [name for name, colours in asked if not re.fullmatch(r"#\w{6}, #\w{6}", colours)] == []
        else:
            assert "light-dark" not in text, sheet.name


def test_a_refused_form_puts_the_focus_on_its_summary(page: Page, server: SampleServer) -> None:
    page.goto(f"{server.url}/pages/register-refused")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("link", name="Enter a whole e-mail address.").click()
    expect(page.get_by_label("Work e-mail")).to_be_focused()


def test_a_password_can_be_shown_and_its_length_is_told_while_typing(page: Page, server: SampleServer) -> None:
    page.goto(f"{server.url}/pages/register")
    field = page.get_by_label("Password", exact=True)
    field.press_sequentially("seven77")
    expect(page.locator("#password-hint")).to_have_text("3 more to go.")
    field.press_sequentially("890")
    expect(page.locator("#password-hint")).to_have_text("10 characters: long enough.")
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")


def test_the_clock_counts_up_from_the_sign_up(page: Page, server: SampleServer) -> None:
    page.clock.install(time="2026-11-21T10:58:00Z")
    page.clock.pause_at("2026-11-21T10:59:00Z")
    page.goto(f"{server.url}/pages/activate")
    expect(page.get_by_role("timer")).to_have_text("00:12:00")
    page.clock.run_for(61_000)
    expect(page.get_by_role("timer")).to_have_text("00:13:01")
    page.clock.fast_forward("23:46:59")
    expect(page.get_by_role("timer")).to_have_text("1 day 00:00:00")


def test_arming_follows_the_events_to_the_way_in(page: Page, server: SampleServer) -> None:
    server.progress = [progress(1, "1,200 charges"), progress(4, "3,412 charges · 118 refunds")]
    page.goto(f"{server.url}/pages/arming")
    expect(page.get_by_role("link", name="Enter your workspace")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your workspace is armed.")
    expect(page.get_by_role("status")).to_have_text("Done. Your workspace is live.")
    expect(page.get_by_text("3,412 charges · 118 refunds")).to_be_visible()
    expect(page.locator("[data-arc][data-state=done]")).to_have_count(4)
    expect(page.get_by_text("Connected the wrong account?")).to_be_hidden()
    expect(page).to_have_title("Your workspace is armed – PayFlux")


def test_arming_asks_again_and_again_where_events_cannot_come_through(page: Page, server: SampleServer) -> None:
    server.events = False
    server.progress = [progress(2)]
    page.clock.install()
    page.goto(f"{server.url}/pages/arming")
    expect(page.get_by_role("status")).to_have_text("2 of 4 stages done.")
    server.progress = [progress(4)]
    page.clock.run_for(2_000)
    expect(page.get_by_role("link", name="Enter your workspace")).to_be_visible()


def test_arming_turns_into_the_problem_with_its_way_out_when_one_comes(page: Page, server: SampleServer) -> None:
    still_arming(server)
    page.goto(f"{server.url}/pages/arming")
    expect(page.get_by_role("status")).to_have_text("1 of 4 stages done.")
    server.shown["arming"] = "arming-problem"
    server.progress = [
        progress(1) | {"problem": {"title": "Stripe does not answer.", "what_happened": "It was asked."}}
    ]
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("button", name="Cancel and connect again")).to_be_visible()


def test_arming_leads_on_where_somebody_else_has_canceled_it(page: Page, server: SampleServer) -> None:
    still_arming(server)
    page.goto(f"{server.url}/pages/arming")
    expect(page.get_by_role("status")).to_have_text("1 of 4 stages done.")
    server.shown["arming"] = "activate"
    server.progress = [progress(0) | {"state": "paid_unconnected"}]
    expect(page.get_by_role("button", name="Connect Stripe")).to_be_visible()


def test_the_chart_is_read_with_the_arrow_keys_and_with_the_pointer(page: Page, server: SampleServer) -> None:
    page.goto(f"{server.url}/pages/dashboard")
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("ArrowLeft")
    spoken = "T+89: $40,940 (80 %: $36,490 – $47,170)"
    expect(slider).to_have_attribute("aria-valuetext", spoken)
    expect(page.locator("[data-readout]")).to_have_text(spoken)
    page.locator(".plot--wide .chart-hit").nth(30).hover()
    expect(page.locator("[data-readout]")).to_have_text("T+30: $13,800 (80 %: $12,300 – $15,900)")
    expect(slider).to_have_value("30")


def test_the_user_menu_closes_on_escape_and_gives_the_focus_back(page: Page, server: SampleServer) -> None:
    page.goto(f"{server.url}/pages/dashboard")
    menu = page.locator("summary", has_text="Alice Archer")
    menu.focus()
    menu.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()


def test_the_switcher_opens_by_keyboard_lists_workspaces_by_account_and_fits_a_phone(
    page: Page, server: SampleServer
) -> None:
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        page.goto(f"{server.url}/pages/workspaces")
        switcher = page.locator(".menu--places > summary")
        switcher.focus()
        switcher.press("Enter")
        listed = page.get_by_role("region", name="Another Company").get_by_role("button")
        expect(listed).to_have_text(re.compile("Another Company.*Viewer"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        box = page.locator(".menu--places .menu__panel").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        page.keyboard.press("Tab")  # past where one is, to the first that one can switch to
        expect(page.get_by_role("button", name="North Owner")).to_be_focused()
        page.keyboard.press("Escape")
        expect(listed).to_be_hidden()
        expect(switcher).to_be_focused()


def test_the_keyboard_reaches_every_control_in_order_shows_where_it_is_and_gets_out_again(
    page: Page, server: SampleServer
) -> None:
    for name in ("register", "dashboard", "evidence", "sso-settings", "alert-settings", "welcome-team", "scan-result"):
        page.goto(f"{server.url}/pages/{name}")
        stops: list[dict[str, Any]] = []
        while len(stops) < 300:
            page.keyboard.press("Tab")
            stop = page.evaluate(FOCUSED)
            if stop is None or (stops and stop["number"] == stops[0]["number"] != stops[-1]["number"]):
                break
            stops.append(stop)
        assert len(stops) < 300, f"{name} is a trap"
        assert 'href="#main"' in stops[0]["html"], name
        numbers = [stop["number"] for stop in stops]
        assert numbers == sorted(numbers), name
        assert [stop["html"] for stop in stops if not stop["seen"]] == [], name
        controls = page.evaluate(CONTROLS)
        assert [html for number, html in controls if number not in numbers] == [], name


def test_times_are_shown_in_the_readers_zone_with_utc_at_hand(browser: Browser, server: SampleServer) -> None:
    page = browser.new_page(timezone_id="America/New_York")
    page.goto(f"{server.url}/pages/dashboard")
    shown = page.locator(".provenance time")
    expect(shown).to_have_text("21 Nov 2026, 05:59 GMT-5")
    expect(shown).to_have_attribute("title", "21\u00a0Nov\u00a02026, 10:59\u00a0UTC")
    page.close()


def test_every_page_can_be_used_without_javascript(browser: Browser, server: SampleServer) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(f"{server.url}/pages/dashboard")
    assert page.locator("svg.chart-band").first.is_visible()
    page.get_by_text("The same as a table").click()
    assert page.get_by_role("row", name="T+90 $41,400 $36,900 $47,700").is_visible()
    page.goto(f"{server.url}/pages/register")
    assert not page.get_by_role("button", name="Show password").is_visible()
    page.close()


def test_the_notice_of_a_trials_end_takes_the_screen_and_escape_is_not_now(page: Page, server: SampleServer) -> None:
    page.goto(f"{server.url}/pages/dashboard-first-run-barred")
    notice = page.get_by_role("dialog", name="Your trial ends")
    expect(notice).to_be_visible()
    assert notice.evaluate("dialog => dialog.matches(':modal')")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.keyboard.press("Escape")
    assert sent.value.url.endswith("/account/billing/notices/trial_ending")
    assert "then" not in (sent.value.post_data or "")
