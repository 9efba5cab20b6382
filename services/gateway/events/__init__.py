"""Live events: facts of the services, fanned out to the clients that may see them, as server-sent events."""
