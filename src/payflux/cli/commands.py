"""The commands: start a part or all of PayFlux, look after the database, and check the configuration."""

from __future__ import annotations

from payflux.cli.deferring import Place, deferred

COMMANDS = {
    "run": Place(
        "payflux.cli.run:run", "Start everything: database, web, worker and, without a Stripe key, the sandbox."
    ),
    "serve": Place("payflux.cli.serve:serve", "Start the web server alone."),
    "work": Place("payflux.cli.work:work", "Start one worker alone."),
    "migrate": Place("payflux.cli.stored:migrate", "Bring the database to this version's schema and catalogue."),
    "sandbox": Place(
        "payflux.cli.sandbox:sandbox",
        "Start the stand-in for Stripe alone, with made-up merchants and a page that controls it.",
    ),
    "reset": Place("payflux.cli.stored:reset", "Delete the embedded database and everything else in the data folder."),
    "analyze": Place(
        "payflux.cli.analyze:analyze",
        "See your risk band and trapped capital from export files, without a server.",
    ),
    "backtest": Place("payflux.cli.backtest.command:backtest", "See how right the model would have been on past days."),
    "gate": Place("payflux.cli.gate:gate", "Fail a pipeline whose risk is worse than agreed."),
    "seed": Place(
        "payflux.cli.catalogue:seed",
        "Show how the catalogue file differs from what is sold now, and publish it instead of what the staff "
        "published.",
    ),
    "sync-stripe-plans": Place(
        "payflux.cli.catalogue:sync_stripe_plans",
        "Find or create the products and prices of what is sold, with this installation's Stripe key, and keep their "
        "ids.",
    ),
    "verify": Place(
        "payflux.cli.verify:verify",
        "Check every signature, hash and proof of an exported ledger, with the public keys alone.",
    ),
    "doctor": Place(
        "payflux.cli.doctor:doctor", "Check every setting and everything PayFlux stands on, and say what to do."
    ),
    "admin": Place("payflux.cli.admin:admin", "Look after a running PayFlux."),
}

app = deferred(COMMANDS, help="See what your payment processor may hold back, why, until when, and what lowers it.")
