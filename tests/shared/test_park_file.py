"""The park file: what is wrong with one is said in words, with the place."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from shared.park_file import ParkFile, ParkFileError, read_park_file

PARK: dict[str, Any] = {
    "fenceline": 1,
    "park": {
        "id": "p",
        "name": {"zh": "园区", "en": "Park"},
        "boundary": [[119.0, 37.1], [119.1, 37.1], [119.1, 37.2], [119.0, 37.1]],
    },
    "enterprises": [{"id": "e1", "name": {"zh": "企业", "en": "Company"}}],
    "stations": [
        {
            "id": "s1",
            "name": {"zh": "站", "en": "Station"},
            "ring": "source",
            "enterprise": "e1",
            "location": {"longitude": 119.05, "latitude": 37.15},
            "device": {"mn": "MN1"},
            "datastreams": [{"property": "chlorine"}],
        }
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    park = deepcopy(PARK)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = park
    for part in parents:
        target = target[part]
    target[last] = value
    return park


def test_defaults_and_ids() -> None:
    park = ParkFile.model_validate(PARK)
    assert park.id_of("s1") == "p.s1"
    assert park.stations[0].datastreams[0].factor_code() == "a21022"
    assert park.stations[0].datastreams[0].cadences == ["realtime", "minute"]
    assert park.park.timezone == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("park.id", "Not A Slug", "pattern"),
        ("park.timezone", "Asia/Nowhere", "time zone"),
        ("park.boundary", [[119, 37]], "at least 4"),
        ("stations.0.enterprise", "e9", "e9"),
        ("stations.0.datastreams", [{"property": "gold"}], "unknown observed property"),
        ("stations.0.datastreams", [{"property": "chlorine"}, {"property": "chlorine"}], "property given twice"),
        ("stations.0.location.latitude", 91, "less than or equal to 90"),
        ("stations.0.device.mn", "a;b", "pattern"),
        ("stations.0.device.mn", "a\x00", "pattern"),
        ("stations.0.device.password", "a\x00", "pattern"),
        ("stations.0.name.zh", "a\x00", "pattern"),
        ("stations.0.datastreams.0.factor", "a\x00", "pattern"),
        ("stations", [PARK["stations"][0], PARK["stations"][0]], "station id given twice: s1"),
        ("fenceline", 2, "Input should be 1"),
        ("surprise", 1, "Extra inputs"),
        ("rules", [{"property": "chlorine", "station": "s9"}], "s9"),
        (
            "rules",
            [
                {
                    "property": "chlorine",
                    "levels": [
                        {"colour": "yellow", "threshold": 5, "source": "x"},
                        {"colour": "red", "threshold": 2, "source": "x"},
                    ],
                }
            ],
            "must rise",
        ),
    ],
)
def test_what_is_wrong_is_said(path: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ParkFile.model_validate(changed(path, value))


def test_reading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "park.yaml"
    path.write_text(yaml.safe_dump(PARK, allow_unicode=True), encoding="utf-8")
    assert read_park_file(path) == ParkFile.model_validate(PARK)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"park: [", "not YAML"), (b"\xff\xfe", "not YAML"), (b"", "document"), (b"park: 1", "fenceline: Field required")],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "park.yaml"
    path.write_bytes(content)
    with pytest.raises(ParkFileError, match=said) as caught:
        read_park_file(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
