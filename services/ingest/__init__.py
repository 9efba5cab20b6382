"""Ingest: takes readings in, checks, converts and stores them, announces them, answers questions about them."""
