"""Dispersion of neutral gas in the atmospheric surface layer: pure numerics.

NumPy in, NumPy out: no I/O, no clock, no framework. SI units inside (kg, m, s); angles in degrees are
meteorological (where the wind comes FROM, clockwise from north); map frames are metres east and north.
"""

ENGINE_NAME = "neutral-puff"
ENGINE_VERSION = "1.0.0"
