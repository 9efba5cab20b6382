"""Dispersion of neutral gas in the atmospheric surface layer: pure numerics.

NumPy in, NumPy out: no I/O, no clock, no framework. SI units inside (kg, m, s); angles in degrees are
meteorological (where the wind comes FROM, clockwise from north); map frames are metres east and north.

What a run calls:

* `puff.PuffModel(release, spells, averaging_s)`: one source; `.cloud_at(t)`, `.start_s`, `.end_s`.
* `several.SeveralSources(models)`: several sources at once, with the same three names.
* `release.constant_release | series_release | sudden_release | area_release` and `Release` itself: rates in time,
  place east and north of the frame's origin, height, width, depth, buoyancy flux (`rise.buoyancy_flux_m4_s3`) and
  deposition velocity.
* `field.compute_field(model, end_s, lowest_level)`: footprint (maximum over time) and frames on one grid;
  `exposure.exposure_at(model, east, north, end_s)`: concentration over time at points.
* `ensemble.exceedance(models, levels_kg_m3, end_s)`: the share of members above each level on one grid, for
  probability bands; `ensemble.ensemble_fields(models, grid, end_s)` yields each member's footprint in turn.
"""

ENGINE_NAME = "neutral-puff"
ENGINE_VERSION = "2.0.0"
