"""Every table of the product. What no process imports its metadata does not know, and an account's export and deletion
would pass it by."""

from __future__ import annotations

from payflux.activation import models as activation
from payflux.activation.retention import models as retention
from payflux.frontdoor.accounts import models as accounts
from payflux.frontdoor.accounts.factors import models as factors
from payflux.frontdoor.accounts.keys import models as keys
from payflux.frontdoor.accounts.providers import models as providers
from payflux.frontdoor.accounts.sso import models as sso
from payflux.frontdoor.accounts.team import models as team
from payflux.frontdoor.accounts.verification import models as verification
from payflux.frontdoor.billing import models as billing
from payflux.frontdoor.catalogue import models as catalogue
from payflux.frontdoor.entitlements import models as entitlements
from payflux.frontdoor.funnel import models as funnel
from payflux.frontdoor.onboarding import models as onboarding
from payflux.frontdoor.sales import models as sales
from payflux.frontdoor.staff import models as staff
from payflux.kit import audit, failures, idempotency, pools
from payflux.monitor.alerts import models as alerts
from payflux.monitor.benchmarks import models as benchmarks
from payflux.monitor.evidence import models as evidence
from payflux.monitor.ledger import models as ledger
from payflux.monitor.processors import models as processors
from payflux.monitor.processors.generic import models as generic
from payflux.monitor.processors.live import models as live
from payflux.monitor.processors.reconciling import models as reconciling
from payflux.monitor.projections import models as projections
from payflux.monitor.risk import models as risk
from payflux.monitor.risk.sweep import models as sweep
from payflux.monitor.scan import models as scan

MODELS = (
    accounts,
    activation,
    alerts,
    audit,
    benchmarks,
    billing,
    catalogue,
    entitlements,
    evidence,
    factors,
    failures,
    funnel,
    generic,
    idempotency,
    keys,
    ledger,
    live,
    onboarding,
    pools,
    processors,
    projections,
    providers,
    reconciling,
    retention,
    risk,
    scan,
    sales,
    staff,
    sso,
    sweep,
    team,
    verification,
)
