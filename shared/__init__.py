"""What the services have in common: contracts, plumbing, the HJ 212 protocol. Imports no service."""
