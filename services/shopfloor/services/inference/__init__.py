"""The Open Inference Protocol, version 2: any model of the registry asked by any client that speaks it."""
