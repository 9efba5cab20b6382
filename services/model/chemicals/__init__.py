"""What the model knows of substances: a table with its sources, and a lookup."""

from services.model.chemicals.catalogue import Chemical, UnknownChemical, all_chemicals, chemical

__all__ = ["Chemical", "UnknownChemical", "all_chemicals", "chemical"]
