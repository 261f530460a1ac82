"""The console in which the staff help: find an account, see its state and history, and do the few things they may."""
