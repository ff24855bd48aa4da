"""What runs on the server: store, alarms, brain, API, and the command that starts it all."""
