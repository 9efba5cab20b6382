"""Subscriptions: facts of the services, told in order to receivers outside, however long these are away."""
