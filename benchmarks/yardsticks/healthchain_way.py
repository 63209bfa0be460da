"""Yardstick (d): HealthChain does the same job as its documentation says: a hook, its adapter, FHIR models, a Card.

https://healthchainai.github.io/HealthChain/reference/gateway/cdshooks/: the adapter makes FHIR models (R4B) of all
prefetched resources. A handler that fails is answered with no cards, so that the benchmark looks at the answers.
"""

from datetime import UTC, datetime

from healthchain.gateway import CDSHooksService, HealthChainAPI  # type: ignore[import-not-found]
from healthchain.io import CdsFhirAdapter  # type: ignore[import-not-found]
from healthchain.models import Card, CDSRequest, CDSResponse  # type: ignore[import-not-found]

from benchmarks.yardsticks.simple_rule import cards_about

adapter = CdsFhirAdapter()
cds = CDSHooksService()
app = HealthChainAPI()


@cds.hook("patient-view", id="cytopenia-review")  # type: ignore[untyped-decorator]
def review(request: CDSRequest) -> CDSResponse:
    """Apply the rule to the models."""
    document = adapter.parse(request)
    entries = document.fhir.get_prefetch_resources("counts").entry or []
    observations = [entry.resource for entry in entries if entry.resource.get_resource_type() == "Observation"]
    cards = cards_about(observations, request.context.patientId, datetime.now(UTC))
    document.cds.cards = [Card(**card) for card in cards]
    return adapter.format(document)


app.register_service(cds, path="/cds")
