import pytest

from services.ingest.meaning.validity import quality_of_mean
from shared.quality import Quality


@pytest.mark.parametrize(
    ("count", "valid", "over_range", "share", "expected", "quality"),
    [
        (4, 3, 0, 0.75, None, "N"),
        (4, 2, 0, 0.75, None, "D"),
        (4, 2, 0, 0.5, None, "N"),
        (4, 0, 0, 0.0, None, "D"),
        (4, 1, 1, 0.75, None, "T"),
        (0, 0, 0, 0.75, None, "X"),
        # Three readings came, all good, but sixty were due: what did not come counts against the mean.
        (3, 3, 0, 0.75, 60, "D"),
        (45, 45, 0, 0.75, 60, "N"),
    ],
)
def test_quality_of_mean(
    count: int, valid: int, over_range: int, share: float, expected: int | None, quality: str
) -> None:
    assert quality_of_mean(count, valid, over_range, share, expected) is Quality(quality)
