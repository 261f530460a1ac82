"""Alembic's entry: runs on the connection it is handed, and compares with the models when asked to write a revision."""

from __future__ import annotations

from alembic import context

from payflux.activation import models as activation
from payflux.frontdoor.accounts import models as accounts
from payflux.frontdoor.accounts.providers import models as providers
from payflux.frontdoor.accounts.team import models as team
from payflux.frontdoor.accounts.verification import models as verification
from payflux.frontdoor.billing import models as billing
from payflux.frontdoor.catalogue import models as catalogue
from payflux.frontdoor.entitlements import models as entitlements
from payflux.kit import audit
from payflux.kit.database import Base
from payflux.monitor.alerts import models as alerts
from payflux.monitor.processors import models as processors
from payflux.monitor.processors.generic import models as generic
from payflux.monitor.processors.reconciling import models as reconciling
from payflux.monitor.projections import models as projections
from payflux.monitor.risk import models as risk
from payflux.monitor.risk.sweep import models as sweep

# imported so that every table is known to Base.metadata
MODELS = (
    accounts,
    activation,
    alerts,
    audit,
    billing,
    catalogue,
    entitlements,
    generic,
    processors,
    projections,
    providers,
    reconciling,
    risk,
    sweep,
    team,
    verification,
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=lambda name, kind, _parents: not (kind == "table" and str(name).startswith("pgqueuer")),
)
with context.begin_transaction():
    context.run_migrations()
