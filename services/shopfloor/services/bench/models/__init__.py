"""`shopfloor bench models`: the training service on public data sets; each is a loader and its roles, nothing more."""
