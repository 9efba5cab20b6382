"""What can be observed, over HTTP."""

from fastapi import APIRouter

from services.ingest.schemas.vocabulary import ObservedProperty, ObservedPropertyPage
from shared.vocabulary import observed_properties

router = APIRouter(tags=["ingest"])


@router.get("/observed-properties")
async def get_observed_properties() -> ObservedPropertyPage:
    """Everything that a datastream may measure, with its unit, its codes and where it is defined."""
    known = sorted(observed_properties().values(), key=lambda entry: entry.id)
    return ObservedPropertyPage(items=[ObservedProperty.model_validate(entry, from_attributes=True) for entry in known])
