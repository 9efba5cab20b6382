"""Dense gas: engines of others behind one interface, each in a process of its own.

How a run uses it:

* `choice.engines_for(decision) -> EngineChoice(primary, others, reason, dense_missing)`, the decision being
  `richardson.decide`'s; names are `"slabx"`, `"degadisx"` and the neutral engine's.
* `scenario.DenseScenario`: substance (what the caller's catalogue knows, `.completed(standard_properties()[cas][0])`
  for the rest), a source, `dense_weather(meteorology)`. A leak of unknown extent stands on
  `broad_enough_area_m2(rate, density)`, a sudden cloud on `slumped_area_m2(mass, density)`: assumptions to tell.
  `lowest_kg_m3` set to a tenth of the lowest level spares the engines what nobody reads.
* `isolation.shared_pool().run_all(names, scenario) -> {name: DenseResult | EngineFailure}`; nothing is raised over an
  input, and one engine's failure leaves the other's answer.
* `combine.combine(results) -> Combined(result, spread, typical_spread, engines)`: the mean in log space, which on the
  LNG trials beats either engine, and the factor between them.
* `DenseResult`: `x_m` down the wind, `y_m` across, `concentration_kg_m3[x, y]` = the highest over time at the height
  of the maximum, `centreline_kg_m3`, `arrival_s`. With `Grid(x_m, y_m, cosine, sine)` it goes into `contours.zones`.
"""
