"""Where an EHR's page gets the `launch` of an app that a card links to, beside the FHIR server. Launches nothing.

No standard names such an endpoint. This one is what the public CDS Hooks Sandbox, a page of another origin, asks the
FHIR server for (`[base]/_services/smart/Launch`); without an answer it doesn't let a SMART link be followed.
"""

from flask import Blueprint, Response, jsonify, request

from cds_service.sandbox.fhir_server.refusals import operation_outcome
from cds_service.sandbox.fhir_server.routes import open_to_all
from cds_service.sandbox.launch_context import LaunchContext


def create_launch_blueprint() -> Blueprint:
    """The endpoint; mount it under the FHIR server's base."""
    blueprint = Blueprint("launch", __name__)

    @blueprint.post("/_services/smart/Launch")
    def launch() -> tuple[Response, int]:
        asked = request.get_json(force=True, silent=True)
        told = asked.get("parameters") if isinstance(asked, dict) else None
        parameters = told if isinstance(told, dict) else {}
        patient = parameters.get("patient")
        if not isinstance(patient, str) or not patient:
            return jsonify(operation_outcome("required", "parameters.patient must be the id of a Patient.")), 400
        context = LaunchContext(patient, app_context=str(parameters.get("appContext") or ""))
        return jsonify({"launch_id": context.handle()}), 200

    blueprint.after_request(open_to_all)
    return blueprint
