"""`shopfloor bench pages`: what the pages cost in a real browser, on a real server."""
