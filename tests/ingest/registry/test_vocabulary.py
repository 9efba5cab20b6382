from shared.vocabulary import observed_properties
from tests.ingest.running import Running


async def test_what_can_be_observed_is_told_with_its_definition(ingest: Running) -> None:
    page = await ingest.get("/observed-properties")
    assert [item["id"] for item in page["items"]] == sorted(observed_properties())
    (ammonia,) = (item for item in page["items"] if item["id"] == "ammonia")
    assert ammonia == {
        "id": "ammonia",
        "kind": "gas",
        "name": {"zh": "氨气", "en": "Ammonia"},
        "unit": "mg/m3",
        "definition": "http://vocab.nerc.ac.uk/standard_name/mass_concentration_of_ammonia_in_air/",
        "cas": "7664-41-7",
        "molar_mass_g_mol": 17.0305,
        "factor_2017": "a21001",
        "factor_2005": "10",
    }
