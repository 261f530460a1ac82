"""What payments let the clock do."""

from __future__ import annotations

from payflux.sandbox.clock import Tasks
from payflux.sandbox.payments import disputes, intents, ledger, refunds

TASKS: Tasks = {**disputes.TASKS, **intents.TASKS, **ledger.TASKS, **refunds.TASKS}
