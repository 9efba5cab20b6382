"""What the catalogue does not know of a substance, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from services.model.chemicals.catalogue import Chemical
from services.model.chemicals.guidelines import Triple
from services.model.chemicals.properties import Properties
from services.model.chemicals.sourced import Guideline
from shared.text import BilingualText

NOT_RECOMMENDED = BilingualText(
    zh="不推荐（NR）：该表评估后未给出数值，并非零",
    en="not recommended (NR): the table looked and gives no value; not zero",
)
NOT_IN_TABLE = BilingualText(
    zh="所用数据表中没有该值，未作推测", en="none of the tables in use has it; it is not guessed"
)
MIXTURE = BilingualText(zh="混合物，没有唯一的摩尔质量", en="a mixture: it has no one molar mass")
NO_FACTOR = BilingualText(zh="HJ 212 因子表中未收录", en="not among the HJ 212 factors in use")


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that is None: its name in the catalogue, such as "aegl-1-30min" or "liquid_density", and the reason."""

    what: str
    reason: BilingualText


def missing(entry: Chemical) -> list[Missing]:
    """Return all that is not known of a substance."""
    return list(_missing(entry))


def _missing(entry: Chemical) -> Iterator[Missing]:
    if entry.molar_mass_g_mol is None:
        yield Missing("molar_mass", MIXTURE)
    for minutes, triple in entry.guidelines.aegl.items():
        yield from _of_triple("aegl", triple, f"-{minutes}min")
    yield from _of_triple("erpg", entry.erpg)
    yield from _of_triple("pac", entry.pac)
    for name in ("idlh", "lel", "uel"):
        if getattr(entry.guidelines, name) is None:
            yield Missing(name, NOT_IN_TABLE)
    for field in fields(Properties):
        if getattr(entry.properties, field.name) is None:
            yield Missing(field.name, NOT_IN_TABLE)
    if entry.probit is None:
        yield Missing("probit", NOT_IN_TABLE)
    if not entry.factors:
        yield Missing("factor_hj212", NO_FACTOR)


def _of_triple(kind: str, triple: Triple, suffix: str = "") -> Iterator[Missing]:
    for level, guideline in enumerate(triple, start=1):
        reason = _reason(guideline)
        if reason is not None:
            yield Missing(f"{kind}-{level}{suffix}", reason)


def _reason(guideline: Guideline | None) -> BilingualText | None:
    if guideline is None:
        return NOT_IN_TABLE
    return NOT_RECOMMENDED if guideline.value is None else None
