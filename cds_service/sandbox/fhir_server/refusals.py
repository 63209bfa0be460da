"""Why the FHIR server refuses an interaction, and how FHIR says so. Knows no Flask and no store."""


class FhirRefusal(Exception):
    """An interaction that isn't done: HTTP status, code of the value set issue-type, and a message for the caller."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def operation_outcome(code: str, diagnostics: str, severity: str = "error") -> dict[str, object]:
    """A FHIR OperationOutcome with one issue."""
    issue = {"severity": severity, "code": code, "diagnostics": diagnostics}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
