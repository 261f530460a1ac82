"""The commands of whoever runs PayFlux: who gets through to which route, whether the audit logs hold, who is on the
staff, and who may register."""

from __future__ import annotations

from payflux.cli.deferring import Place, deferred

ADMIN = {
    "guards": Place("payflux.cli.guards:guards", "Print who gets through to which route, as Markdown."),
    "verify-audit": Place(
        "payflux.cli.integrity:verify_audit",
        "Check the audit log of every account; exit code 1 when one does not hold.",
    ),
    "add-staff": Place(
        "payflux.cli.staff:add_staff",
        "Let somebody join the staff, or start anew after they lost their authenticator app: prints a one-time link.",
    ),
    "rotate-ledger-key": Place(
        "payflux.cli.integrity:rotate_ledger_key", "Put a new key into force that signs the ledger."
    ),
    "remove-staff": Place(
        "payflux.cli.staff:remove_staff", "End somebody's time on the staff, and their sessions and visits with it."
    ),
    "complimentary": Place(
        "payflux.cli.complimentary:complimentary",
        "Give Pro, complimentary, to the accounts that exist: to all but those that pay or have canceled.",
    ),
    "isolate": Place("payflux.cli.pools:isolate", "Have workers of their own run an account's jobs."),
    "report": Place(
        "payflux.cli.operations:report",
        "Trials, Checkouts, conversion and revenue by day and week, and where people turn back.",
    ),
    "sample-readout": Place(
        "payflux.cli.sample:sample_readout", "Print the sample readout of the landing page as JSON."
    ),
    "self-serve": Place("payflux.cli.launch:self_serve", "Say who may register without an invite."),
}

admin = deferred(ADMIN, help="Look after a running PayFlux.")
