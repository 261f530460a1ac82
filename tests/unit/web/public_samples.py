"""Contexts for the pages that everybody may see."""

from __future__ import annotations

from typing import Any

from payflux.web.pages.landing import sample_context

OPEN = {"self_serve": True, "company": "Flux Ltd"}


def public_pages(signed_out: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages by name."""
    return {
        "landing": ("landing.html", signed_out | OPEN | sample_context()),
        "landing-closed": ("landing.html", signed_out | sample_context()),
    }
