"""What the model knows of substances: tables with their sources, a lookup, a search, and conversions."""

from services.model.chemicals.catalogue import Chemical, UnknownChemical, all_chemicals, chemical
from services.model.chemicals.search import search
from services.model.chemicals.sourced import Guideline, Probit, Sourced

__all__ = ["Chemical", "Guideline", "Probit", "Sourced", "UnknownChemical", "all_chemicals", "chemical", "search"]
