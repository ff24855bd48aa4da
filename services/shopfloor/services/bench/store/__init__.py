"""`shopfloor bench store`: the historian beside its peers on one plant's worth of values."""
