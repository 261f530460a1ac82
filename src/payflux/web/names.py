"""Names that pages make of what is stored, by :func:`payflux.kit.messages.gettext`: here the extractor finds them."""

from __future__ import annotations

from payflux.kit.messages import mark

ROLES = (mark("owner"), mark("admin"), mark("analyst"), mark("viewer"))
ROLE_TITLES = (mark("Owner"), mark("Admin"), mark("Analyst"), mark("Viewer"))
STATES = (mark("waiting"), mark("running"), mark("done"), mark("failed"))
TRENDS = (mark("Improving"), mark("Stable"), mark("Degrading"))
DELIVERIES = (mark("Raised"), mark("Worsened"), mark("Cleared"), mark("Resolved"), mark("Failed"), mark("Dropped"))
INVITES = (mark("accepted"), mark("declined"), mark("canceled"), mark("expired"), mark("revoked"), mark("open"))
BANDS = (mark("low"), mark("moderate"), mark("elevated"), mark("high"), mark("critical"))
BAND_TITLES = (mark("Low"), mark("Moderate"), mark("Elevated"), mark("High"), mark("Critical"))
