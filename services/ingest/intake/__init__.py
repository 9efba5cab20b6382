"""Readings that come over HTTP: from a body to what can be stored."""
