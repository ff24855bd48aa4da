"""Replay: what a model would have said over any stored time, beside what happened; and any past prediction anew."""
