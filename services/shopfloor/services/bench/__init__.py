"""`shopfloor bench`: what the platform can do on this machine, measured beside its peers, and written down."""
