"""`shopfloor bench live`: what the live transport costs, and how long a value takes to a page."""
