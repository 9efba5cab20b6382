"""The only door: who may come in, what goes where, what happens now, and the page."""
