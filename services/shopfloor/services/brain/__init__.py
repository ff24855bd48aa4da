"""The brain: learns from history once, then judges every asset live. It sees only what the historian stored."""

from shopfloor.services.brain.brain import Brain

__all__ = ["Brain"]
