"""Names that pages make of what is stored, by :func:`payflux.kit.messages.gettext`: here the extractor finds them."""

from __future__ import annotations

from payflux.kit.messages import mark

ROLES = (mark("owner"), mark("admin"), mark("analyst"), mark("viewer"))
ROLE_TITLES = (mark("Owner"), mark("Admin"), mark("Analyst"), mark("Viewer"))
BANDS = (mark("low"), mark("moderate"), mark("elevated"), mark("high"), mark("critical"))
BAND_TITLES = (mark("Low"), mark("Moderate"), mark("Elevated"), mark("High"), mark("Critical"))
