"""How much gets into the air, and when: source terms of HJ 169-2018, Appendix F. Pure functions.

SI units (kg, m, s, Pa, K), pressures absolute, R = 8.314 J/(mol K) as in the standard. One file an idea: `liquid`,
`gas` and `two_phase` say what leaves a hole; `flash`, `heat_evaporation` and `mass_evaporation` what becomes gas;
`pool` how far a spill spreads; `blow_down` how a vessel empties; `fire` what a fire gives off; `hole_sizes` and
`isolation` the leaks and times that are usually assumed. `vessel.release_from_vessel` and
`fire_release.release_from_fire` join them to a `SourceTerm`.
"""

from services.model.source_terms.errors import MissingProperty, OutOfRange
from services.model.source_terms.fire_release import release_from_fire
from services.model.source_terms.fluid import Fluid, fluid_of
from services.model.source_terms.hole import Hole
from services.model.source_terms.result import Assumption, SourceTerm
from services.model.source_terms.vessel import Leak, Surroundings, release_from_vessel

__all__ = [
    "Assumption",
    "Fluid",
    "Hole",
    "Leak",
    "MissingProperty",
    "OutOfRange",
    "SourceTerm",
    "Surroundings",
    "fluid_of",
    "release_from_fire",
    "release_from_vessel",
]
