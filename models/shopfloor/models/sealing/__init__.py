"""What a sealed bundle is made of, and how each part is checked before anything uses it."""
