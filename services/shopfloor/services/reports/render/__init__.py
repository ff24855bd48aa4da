"""A page as a file: HTML that stands on its own, or PDF, of the same blocks and pictures."""
