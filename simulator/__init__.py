"""A chemical park that does not exist, speaking real HJ 212 to a real socket."""
