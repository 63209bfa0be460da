"""The door of the domain: a clinical picture in, an assessment out. Pure: `as_of` is an argument."""

from datetime import datetime

from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.criteria import Guideline
from cds_service.hematology.verdicts import Assessment


def assess(picture: ClinicalPicture, guideline: Guideline, as_of: datetime) -> Assessment:
    """Judge one patient's counts by the guideline as of a timezone-aware point in time."""
    raise NotImplementedError
