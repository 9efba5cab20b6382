"""Brings a whole park up on one machine: databases, services, simulator, and a supervisor over them."""
