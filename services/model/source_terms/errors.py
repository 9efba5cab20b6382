"""What a source term refuses, told by name: the quantity, its value and what is allowed."""

from __future__ import annotations

from math import isfinite


class OutOfRange(ValueError):
    """A quantity lies outside the range in which its formula holds."""

    def __init__(self, quantity: str, value: object, allowed: str) -> None:
        super().__init__(f"{quantity} is {value}; allowed is {allowed}")
        self.quantity = quantity
        self.value = value
        self.allowed = allowed


class MissingProperty(ValueError):
    """The formula needs a property of the substance that is not known."""

    def __init__(self, substance: str, quantity: str) -> None:
        super().__init__(f"{quantity} of {substance} is not known and not guessed; give it, or the release rate")
        self.substance = substance
        self.quantity = quantity


def require_positive(quantity: str, value: float, unit: str) -> None:
    """Raise `OutOfRange` unless a value is finite and above zero."""
    if not (isfinite(value) and value > 0.0):
        raise OutOfRange(quantity, value, f"above 0 {unit}")


def require_not_negative(quantity: str, value: float, unit: str) -> None:
    """Raise `OutOfRange` unless a value is finite and zero or above."""
    if not (isfinite(value) and value >= 0.0):
        raise OutOfRange(quantity, value, f"0 {unit} or above")


def require_within(quantity: str, value: float, low: float, high: float, unit: str) -> None:
    """Raise `OutOfRange` unless low <= value <= high."""
    if not low <= value <= high:
        raise OutOfRange(quantity, value, f"{low:g} to {high:g} {unit}".strip())
