"""Corrections of stored observations: who changed what, and why; what was sent stays readable."""
