"""The sweep: a reading of every workspace from its daily rollups, all in one pass."""
