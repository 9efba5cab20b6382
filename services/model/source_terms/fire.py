"""What a fire gives off: HJ 169-2018, eqs. F.14 and F.15, and Table F.4."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from services.model.source_terms.errors import OutOfRange, require_not_negative, require_within

# Rows: the amount in the fire [t], up to and with the bound; columns: LC50 [mg/m3], from the bound on. The shares [%]
# are the standard's; the bounds of the rows and the inner bounds of the columns are from memory.
_AMOUNT_BOUNDS_T = (100.0, 500.0, 1_000.0, 5_000.0, 10_000.0, 20_000.0, 50_000.0, 100_000.0)
_LC50_BOUNDS_MG_M3 = (200.0, 1_000.0, 2_000.0, 10_000.0, 20_000.0)
_UNBURNT_PERCENT: tuple[tuple[float | None, ...], ...] = (
    (5.0, 10.0, None, None, None, None),
    (1.5, 3.0, 6.0, None, None, None),
    (1.0, 2.0, 4.0, 5.0, 8.0, None),
    (None, 0.5, 1.0, 1.5, 2.0, 3.0),
    (None, None, 0.5, 1.0, 1.0, 2.0),
    (None, None, None, 0.5, 1.0, 1.0),
    (None, None, None, None, 0.5, 0.5),
    (None, None, None, None, None, 0.5),
)


def sulfur_dioxide(burning_rate: float, sulfur_fraction: float) -> float:
    """Return the SO2 [in the unit of the burning rate]: G = 2 B S (eq. F.14).

    `burning_rate` is mass a time (the standard's kg/h, or kg/s), `sulfur_fraction` the share of sulfur in it, 0 to 1.
    Raises `OutOfRange`.
    """
    require_not_negative("burning rate", burning_rate, "")
    require_within("sulfur fraction", sulfur_fraction, 0.0, 1.0, "")
    return 2.0 * burning_rate * sulfur_fraction


def carbon_monoxide(burning_rate_t_s: float, incomplete_fraction: float = 0.06, carbon_fraction: float = 0.85) -> float:
    """Return the CO [kg/s]: G = 2330 q C Q (eq. F.15).

    Parameters
    ----------
    burning_rate_t_s : Q [t/s].
    incomplete_fraction : q, the share that burns incompletely, 0.015 to 0.06; the highest is the careful one.
    carbon_fraction : C, the share of carbon, 0 to 1; the standard takes 0.85.

    Raises `OutOfRange`.
    """
    require_not_negative("burning rate", burning_rate_t_s, "t/s")
    require_within("share of incomplete combustion", incomplete_fraction, 0.015, 0.06, "")
    require_within("carbon fraction", carbon_fraction, 0.0, 1.0, "")
    return 2330.0 * incomplete_fraction * carbon_fraction * burning_rate_t_s


def unburnt_fraction(amount_t: float, lc50_mg_m3: float) -> float:
    """Return the share [1] of a toxic substance that a fire releases unburnt (Table F.4).

    `amount_t` [t] is what stands in the fire, `lc50_mg_m3` [mg/m3] its acute inhalation toxicity. Raises `OutOfRange`
    also where the table has no entry.
    """
    require_not_negative("amount in the fire", amount_t, "t")
    require_within("amount in the fire", amount_t, 0.0, _AMOUNT_BOUNDS_T[-1], "t")
    require_not_negative("LC50", lc50_mg_m3, "mg/m3")
    row = _UNBURNT_PERCENT[bisect_left(_AMOUNT_BOUNDS_T, amount_t)]
    percent = row[bisect_right(_LC50_BOUNDS_MG_M3, lc50_mg_m3)]
    if percent is None:
        given = f"{amount_t:g} t with an LC50 of {lc50_mg_m3:g} mg/m3"
        raise OutOfRange("amount and toxicity", given, "a pair for which Table F.4 has a share")
    return percent / 100.0
