from datetime import timedelta

import pytest

from services.ingest.writing.announcement import renewed
from shared.messages import ObservationsStored
from shared.time import EPOCH


def test_readings_are_announced_again_as_received_now() -> None:
    before = ObservationsStored.of([(1, 5, 2.0, "N")], received_at=7)
    after = ObservationsStored.decode(renewed(before.encode(), EPOCH + timedelta(seconds=1)))
    assert (list(after.rows()), after.received_at) == (list(before.rows()), 1_000_000)
    with pytest.raises(ValueError):
        renewed(b"{}", EPOCH)
