"""Charts are valid, accessible, self-sufficient SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from payflux.kit.charts import BandPoint, Bar, Format, band_chart, bar_chart, nice_ticks, step_scale

SVG = "{http://www.w3.org/2000/svg}"
RISING = [BandPoint(day, day * 100, day * 80, day * 130) for day in range(91)]


def drawn(chart: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(chart)


def rising(title: str = "Held back", format_x: Format = "Day {:.0f}".format, format_y: Format = str) -> Markup:
    return band_chart(
        RISING, title=title, description="It rises.", format_x=format_x, format_y=format_y, marks=(30, 60, 90)
    )


CHARTS = {
    "band": rising(),
    "bar": bar_chart([Bar("Week 1", 3), Bar("Week 2", 0)], title="Sales", description="By week."),
    "steps": step_scale(["Low", "High"], 2, title="Band", danger_from=2),
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_every_chart_is_an_image_with_a_name_that_scales(chart):
    root = drawn(chart)
    assert root.get("role") == "img"
    assert root.get("viewBox")
    name = root.find(f"{SVG}title")
    assert name is not None
    assert name.text


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_no_chart_needs_what_a_strict_content_policy_blocks(chart):
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=|href", chart)


def test_each_point_says_its_label_value_and_interval():
    hits = drawn(rising(format_y=lambda amount: f"{amount:.0f} USD")).findall(f".//{SVG}rect[@class='chart-hit']")
    assert len(hits) == len(RISING)
    assert {key: hits[30].get(key) for key in ("data-label", "data-value", "data-low", "data-high")} == {
        "data-label": "Day 30",
        "data-value": "3000 USD",
        "data-low": "2400 USD",
        "data-high": "3900 USD",
    }


def test_marks_are_dotted_and_their_values_written():
    root = drawn(rising(format_y=lambda amount: f"{amount:.0f} USD"))
    assert len(root.findall(f"{SVG}circle")) == 3
    assert {"3000 USD", "6000 USD", "9000 USD"} <= {label.text for label in root.findall(f"{SVG}text")}


def test_words_are_escaped():
    chart = rising(title="<b>&", format_x=lambda _: '"<x>')
    assert "<b>" not in chart
    assert drawn(chart).findtext(f"{SVG}title") == "<b>&"


def test_a_chart_of_nothing_but_zeros_is_still_drawn():
    flat = [BandPoint(day, 0, 0, 0) for day in range(3)]
    assert "nan" not in band_chart(flat, title="Nothing", description="Nothing is held.")
    assert "nan" not in bar_chart([Bar("a", 0)], title="Nothing", description="")


def test_impossible_charts_are_refused():
    with pytest.raises(ValueError, match="two points"):
        band_chart(RISING[:1], title="t", description="d")
    with pytest.raises(ValueError, match="at least one bar"):
        bar_chart([], title="t", description="d")
    with pytest.raises(ValueError, match="not between 1 and 2"):
        step_scale(["Low", "High"], 3, title="t")


def test_steps_are_lit_up_to_the_current_one():
    classes = [
        rect.get("class") for rect in drawn(step_scale("abcde", 4, title="t", danger_from=5)).findall(f"{SVG}rect")
    ]
    assert classes == ["chart-step chart-step-on"] * 4 + ["chart-step"]


@given(st.floats(min_value=1e-3, max_value=1e15))
def test_ticks_rise_from_zero_and_cover_the_top_without_waste(top):
    ticks = nice_ticks(top)
    assert ticks[0] == 0
    assert ticks == sorted(set(ticks))
    assert top * (1 - 1e-6) <= ticks[-1] <= max(2.5 * top, 1e-9)
    assert 2 <= len(ticks) <= 6
