"""Reading: which way to an answer, and the answer."""
