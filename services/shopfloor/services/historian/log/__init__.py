"""The log: the commit that acknowledges, what it says of gateways and tags, and reading it back."""
