"""The HTTP API: one router per noun. Every router is made from the parts it needs."""
