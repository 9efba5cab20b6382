"""How well an alarm system serves its operators: the figures of ISA-18.2, IEC 62682 and EEMUA 191. Pure: no clock."""

from services.alerts.kpi.figures import PERIOD, TARGETS, Flood, Load, Target, load

__all__ = ["PERIOD", "TARGETS", "Flood", "Load", "Target", "load"]
