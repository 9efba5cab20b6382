"""Reports of a day or a month: what was measured, how much of it is valid, and the wind."""
