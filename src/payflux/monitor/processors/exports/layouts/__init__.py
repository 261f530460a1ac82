"""The kinds of files that are understood, the most telling first."""

from payflux.monitor.processors.exports.layouts import balance_activity, disputes, plain, unified_payments

LAYOUTS = (plain.LAYOUT, balance_activity.LAYOUT, unified_payments.LAYOUT, disputes.LAYOUT)
