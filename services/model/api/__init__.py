"""HTTP of the model service."""
