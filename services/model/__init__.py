"""The model service: who will be reached, and where the gas comes from."""
