"""The context of each hook, read from its JSON object (CDS Hooks hook library). Knows no medicine, no Flask."""

import re

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.members import FHIR_ID, Members, optional_string, required_string
from cds_service.cds_hooks.request import PatientViewContext

_USER_ID = re.compile(r"(?:[A-Z][A-Za-z]{0,63}/)?[A-Za-z0-9._\-]{1,128}")
"""`Type/id`; the type is left out by some old clients, whose users are then of no known type."""


def read_patient_view(context: Members) -> PatientViewContext:
    """Read the context of patient-view (hook version 1.0).

    Raises:
        RequestInvalid: a required member is missing, or a member is not of its form.
    """
    return PatientViewContext(
        user_id=_read_user(context),
        patient_id=_check_id(required_string(context, "patientId", "context.patientId"), "patientId", "Patient"),
        encounter_id=_read_encounter(context),
    )


def _read_user(context: Members) -> str:
    user_id = required_string(context, "userId", "context.userId")
    if not _USER_ID.fullmatch(user_id):
        raise RequestInvalid("'context.userId' must have the form Type/id, such as Practitioner/abc-123.")
    return user_id


def _read_encounter(context: Members) -> str | None:
    encounter_id = optional_string(context, "encounterId", "context.encounterId")
    return None if encounter_id is None else _check_id(encounter_id, "encounterId", "Encounter")


def _check_id(text: str, name: str, resource_type: str) -> str:
    if not FHIR_ID.fullmatch(text):
        raise RequestInvalid(
            f"'context.{name}' must be a bare FHIR id (up to 64 letters, digits, '-' or '.'), "
            f"without '{resource_type}/'."
        )
    return text
