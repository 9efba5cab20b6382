"""Observations as files: asked for piece by piece, encoded and sent on, never held whole."""
