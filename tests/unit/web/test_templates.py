import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import msgspec
import pytest

from payflux.monitor.risk.outlook import Forecasting
from payflux.web.rendering import build_templates
from tests.unit.web.samples import DASHBOARD, NOW, PAGES, PROJECTION, ROOT, SURFACE, TRIAL, charts, render


class Outline(HTMLParser):
    """What the rules below look at: every tag with its attributes, and which controls stand in which form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: list[tuple[dict[str, str], list[dict[str, str]]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag == "form":
            self.forms.append((attributes, []))
        elif tag == "input" and self.forms:
            self.forms[-1][1].append(attributes)

    def having(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def text_of(html: str) -> str:
    """The words of a page, every kind of space as one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.parametrize("page", PAGES)
def test_a_page_keeps_the_rules_of_every_page(page: str) -> None:
    html = render(page)
    outline = Outline(html)
    holds_no_style_script_or_handler_of_its_own(outline)
    asks_for_files_that_exist(outline)
    sends_the_csrf_token_with_each_form_that_changes_something(outline)
    has_one_main_heading_a_title_and_no_id_twice(html, outline)
    has_a_label_for_every_field_and_every_description(outline)
    leads_to_parts_of_itself_that_are_there(outline)


def holds_no_style_script_or_handler_of_its_own(outline: Outline) -> None:
    assert not [attributes for _, attributes in outline.tags if "style" in attributes]
    assert not [name for _, attributes in outline.tags for name in attributes if name.startswith("on")]
    assert not outline.having("style")
    assert all(script["src"].startswith("/static/js/") for script in outline.having("script"))


def asks_for_files_that_exist(outline: Outline) -> None:
    asked = [script["src"] for script in outline.having("script")] + [link["href"] for link in outline.having("link")]
    assert asked
    assert [path for path in asked if not (ROOT / path.removeprefix("/").partition("?")[0]).is_file()] == []


def sends_the_csrf_token_with_each_form_that_changes_something(outline: Outline) -> None:
    for form, inputs in outline.forms:
        if form["method"] == "get":
            assert [field for field in inputs if field["type"] == "hidden"] == []
            continue
        assert form["method"] == "post"
        assert [field["value"] for field in inputs if field.get("name") == "csrf_token"] == ["token"]


def has_one_main_heading_a_title_and_no_id_twice(html: str, outline: Outline) -> None:
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(outline.having("h1")) == 1
    assert re.search(r"<title>[^<]+ – PayFlux</title>", html)
    assert sorted(set(ids)) == sorted(ids)


def has_a_label_for_every_field_and_every_description(outline: Outline) -> None:
    ids = {attributes.get("id") for _, attributes in outline.tags}
    labelled = {label["for"] for label in outline.having("label")}
    for field in outline.having("input"):
        if field["type"] != "hidden":
            assert field["id"] in labelled
            assert "autocomplete" in field
        assert set(field.get("aria-describedby", "").split()) <= ids


def leads_to_parts_of_itself_that_are_there(outline: Outline) -> None:
    ids = {attributes["id"] for _, attributes in outline.tags if "id" in attributes}
    leads = {link["href"].removeprefix("#") for link in outline.having("a") if link.get("href", "").startswith("#")}
    assert leads - ids == set()


def test_what_a_person_typed_is_text_and_never_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    html = render(
        "register", form={"name": hostile, "email": hostile, "plan": hostile}, errors={"email": hostile}, next=hostile
    )
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 6


def test_a_refused_registration_focuses_the_summary_and_marks_each_field_but_never_repeats_the_password() -> None:
    outline = Outline(
        render("register-refused", form={"name": "Alice", "email": "alice@", "plan": "", "password": "hunter2hunter2"})
    )
    fields = {field["name"]: field for field in outline.having("input")}
    [summary] = [attributes for _, attributes in outline.tags if "autofocus" in attributes]
    assert summary["role"] == "alert"
    assert fields["email"]["aria-invalid"] == fields["password"]["aria-invalid"] == "true"
    assert "aria-invalid" not in fields["name"]
    assert fields["email"]["value"] == "alice@"
    assert fields["password"]["value"] == ""


def test_password_managers_are_told_which_password_is_meant() -> None:
    new = {field["name"]: field for field in Outline(render("register")).having("input")}
    known = {field["name"]: field for field in Outline(render("sign-in")).having("input")}
    assert new["password"]["autocomplete"] == "new-password"
    assert known["password"]["autocomplete"] == "current-password"
    assert known["email"]["autocomplete"] == "username"


def test_activation_says_what_it_is_for_and_offers_one_primary_action() -> None:
    html = render("activate")
    assert "Your risk defense layer is ready to arm." in html
    assert "time since purchase without protection" in text_of(render("activate", in_trial=False)).lower()
    assert "time since sign-up without protection" in text_of(html).lower()
    assert html.count("button--primary") == 1
    assert "Connect Stripe" in html


def test_the_clock_is_a_plain_date_without_javascript() -> None:
    assert "since 21 Nov 2026, 10:47 UTC" in text_of(render("activate"))


def test_without_an_oauth_application_the_restricted_key_is_the_primary_way() -> None:
    outline = Outline(render("activate-key-only"))
    assert [form["action"] for form, _ in outline.forms] == ["/sign-out", "/api/stripe/key", "/language"]


@pytest.mark.parametrize(
    ("page", "refreshes"), [("arming", True), ("arming-slow", True), ("arming-done", False), ("arming-problem", False)]
)
def test_arming_reloads_itself_without_javascript_only_while_there_is_something_to_wait_for(
    page: str, refreshes: bool
) -> None:
    assert ('<noscript><meta http-equiv="refresh" content="2"></noscript>' in render(page)) == refreshes


def test_arming_shows_the_way_in_only_when_done_and_a_way_out_before() -> None:
    def links(page: str) -> dict[str, bool]:
        html = render(page)
        return {"enter": "data-enter>" in html, "cancel": 'action="/activate/cancel"' in html}

    assert links("arming") == {"enter": False, "cancel": True}
    assert links("arming-problem") == {"enter": False, "cancel": True}
    assert links("arming-done") == {"enter": True, "cancel": False}


def test_the_dashboard_states_band_windows_and_basis() -> None:
    text = text_of(render("dashboard"))
    assert "Your workspace is live." in text
    assert "Elevated Tier 3 of 5" in text
    assert "T+30 ~$13,800 80 %: $12,420 – $15,870 1,000 bps 3.0" in text
    assert "T+90 ~$41,400 80 %: $37,260 – $47,610 1,000 bps 9.0" in text
    assert "Based on 847 payment events from your Stripe account over the last 90 days." in text
    assert "Your workspace is live." not in text_of(render("dashboard-stale"))


def test_the_chart_has_the_same_figures_as_a_table() -> None:
    rows = re.findall(r'<th scope="row">T\+(\d+)</th><td class="number">([^<]+)</td>', render("dashboard"))
    assert [int(day) for day, _ in rows] == list(range(0, 91, 10))
    assert rows[-1] == ("90", "$41,400")


def test_the_dashboard_says_how_fresh_its_figures_are_and_what_to_do_when_they_are_not() -> None:
    assert "Showing data through" in text_of(render("dashboard"))
    assert "(12 minutes ago)" in text_of(render("dashboard"))
    stale = text_of(render("dashboard-stale"))
    assert "3 days ago" in stale
    assert "Stripe could not be read since. PayFlux tries again by itself" in stale


def test_what_cannot_be_said_is_said_to_be_unknown_and_not_zero() -> None:
    exposure = msgspec.structs.replace(PROJECTION.exposure, coverage=None, shortfall=None)
    text = text_of(render("dashboard", projection=msgspec.structs.replace(PROJECTION, exposure=exposure)))
    assert "Covered by your balance cannot be seen" in text
    assert "Shortfall" not in text
    assert "Early fraud warnings last 30 days – 1 warning: fewer than 3 say nothing. Not enough data" in text


def test_a_quiet_workspace_has_no_reasons_and_an_empty_one_no_division_by_zero() -> None:
    surface = msgspec.structs.replace(SURFACE, reasons=(), signals=(), event_count=0)
    exposure = msgspec.structs.replace(
        PROJECTION.exposure, chargebacks_to_come=0, refunds_to_come=0, undelivered=0, open_disputes=0, gross=0
    )
    projection = msgspec.structs.replace(PROJECTION, exposure=exposure, assumptions=())
    context = DASHBOARD | charts(surface, projection) | {"surface": surface, "projection": projection}
    text = text_of(build_templates().get_template("dashboard.html").render(context))
    assert "asks for a higher tier" in text
    assert "Expected exposure $0" in text


@pytest.mark.parametrize("status", [403, 404, 409, 422, 500, 503])
def test_an_error_says_what_happened_what_is_safe_and_what_to_do(status: int) -> None:
    text = text_of(render(f"error-{status}"))
    positions = [text.index(words) for words in ("What happened", "What is safe", "What to do", "req_01JD")]
    assert positions == sorted(positions)
    assert "The database is being moved." in text_of(
        render(f"error-{status}", what_happened="The database is being moved.")
    )


def test_the_trial_is_quiet_until_its_last_day() -> None:
    def bar(left: timedelta) -> str:
        return render("dashboard", standing=replace(TRIAL, current_period_end=NOW + left), degraded=[])

    assert "tag--danger" not in bar(timedelta(days=2))
    assert "Pro trial · 1 day left" in text_of(bar(timedelta(days=1)))
    assert "tag--danger" in bar(timedelta(days=1))


def test_a_refused_key_opens_its_form_with_the_focus_in_it() -> None:
    html = render("activate", errors={"key": "This is a secret key. Create a restricted one."})
    [focused] = [attributes for _, attributes in Outline(html).tags if "autofocus" in attributes]
    assert focused["id"] == "key"
    assert '<details class="disclosure" open>' in html
    assert "open>" not in render("activate")


def test_a_signal_on_amounts_shows_money_and_one_on_events_shows_counts() -> None:
    text = text_of(render("dashboard"))
    assert "0.87 % 21 of 2,412" in text
    assert "4.46 % $3,476 of $78,015" in text
    assert "1.77 nats over 156 No threshold" in text


def test_where_no_reserve_is_assumed_none_is_described() -> None:
    scenario = msgspec.structs.replace(PROJECTION.scenario, rate=0.0)
    text = text_of(render("dashboard", projection=msgspec.structs.replace(PROJECTION, scenario=scenario)))
    assert "No new reserve is assumed at tier 3" in text
    assert "rolling reserve of" not in text


def test_below_the_first_look_stand_the_next_step_other_scenarios_releases_currencies_and_directions() -> None:
    text = text_of(render("dashboard-full"))
    for words in (
        "chance that the next 30 days ask for tier 4",
        "Visa Acquirer Monitoring Program, excessive",
        "1,479 more",
        "The next dispute on Visa costs, beside its own amount $15.00 to $30.00 dispute fee",
        "Disputes still to come",
        "Too little was seen to tell apart: Visa, for fraud; Mastercard, for fraud.",
        "Rolling 10 % for 90 days projected above",
        "Payouts paused",
        "one tier up",
        "some of it without a date of its own",
        "EUR €0 held now; 806 payments",
        "Total in USD",
        "1 EUR = 1.084 USD",
        "Sales a day → Level",
    ):
        assert words in text, words


def test_a_readout_stored_before_these_parts_existed_is_shown_without_them() -> None:
    text = text_of(render("dashboard"))
    for heading in (
        "next step",
        "still to come On the",
        "chose otherwise",
        "holds come back",
        "Each currency",
        "Where it is going",
    ):
        assert heading not in text


def test_forecasting_says_what_it_waits_for() -> None:
    waiting = Forecasting(active=False, days_known=3, why_not="3 of the 7 whole days in a row are known.", series=())
    text = text_of(render("dashboard", surface=msgspec.structs.replace(SURFACE, forecasting=waiting)))
    assert "Directions are drawn once seven whole days in a row are known. 3 of the 7" in text


def test_the_dashboard_says_what_does_not_add_up_and_nothing_while_all_does() -> None:
    assert "do not add up" not in render("dashboard")
    page = render("dashboard-stale")
    assert "Differs by $12.00: 1 not stored." in page
    assert 'href="/connection#books"' in page
