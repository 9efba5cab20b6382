"""From what a rule says about its measure to what is computed."""

from services.alerts.conditions import RAW, Measure
from services.alerts.conditions.measures import (
    BaselineDeviation,
    Deviation,
    Implausible,
    Maximum,
    Mean,
    NOfM,
    Percentile,
    RateOfChange,
    Stuck,
)
from shared import measures as documents


def measure_of(document: documents.Measure | None) -> Measure:
    """The measure of a document; None is the raw value."""
    match document:
        case documents.MeanValue():
            return Mean(_us(document.window_s))
        case documents.MaximumValue():
            return Maximum(_us(document.window_s))
        case documents.PercentileValue():
            return Percentile(_us(document.window_s), document.percent)
        case documents.NOfMSamples():
            return NOfM(document.n, document.m)
        case documents.RateOfChangeValue():
            return RateOfChange(_us(document.window_s))
        case documents.DeviationValue():
            return Deviation(_us(document.window_s), document.least)
        case documents.BaselineDeviationValue():
            return BaselineDeviation(document.over_days, document.least_days, document.least)
        case documents.StuckValue():
            return Stuck(_us(document.window_s), document.tolerance, document.above)
        case documents.ImplausibleValue():
            return Implausible(document.low, document.high)
        case documents.RawValue() | None:
            return RAW


def _us(seconds: float) -> int:
    return max(1, round(seconds * 1_000_000))
