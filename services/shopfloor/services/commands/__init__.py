"""The small commands: check, ledger, token. Each module gives `add_arguments(parser)` and `run(args) -> int`."""
