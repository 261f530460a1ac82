"""The control of a sandbox: its clock, faults and deliveries, as JSON under /sandbox and as a page."""
