"""Care: checks, snapshots, repair, and reading a store from outside its server."""
