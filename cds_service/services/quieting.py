"""Whether a card that feedback has set aside before is shown again. Pure: memory and time are handed in.

Only feedback quiets, never a record in the chart; and nothing is quiet that is worse than what was set aside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from cds_service.hematology.verdicts import Assessment, Importance
from cds_service.knowledge.model import Quieting, QuietReason
from cds_service.services.card_basis import CardBasis
from cds_service.services.issued_card import AnsweredCard, IssuedCard
from cds_service.services.pseudonyms import Marks
from cds_service.services.worsening import CardState, worse_than

ACCEPTED = "accepted-suggestion"
"""By what a card is quiet whose suggestion was taken over."""


@dataclass(frozen=True)
class Quieted:
    """A card that is not shown: which finding, by what feedback, until when."""

    finding: str
    by: str
    until: datetime


@dataclass(frozen=True)
class Candidate:
    """A card that might be shown, as it would be kept; the assessment it tells, and the marks of its results.

    `under_previous_key`: the same, made with the key before the present one, while that is still recognised.
    """

    card: IssuedCard
    assessment: Assessment
    marks: Marks
    under_previous_key: "Candidate | None" = None


def decide(candidate: Candidate, answered: Sequence[AnsweredCard], policy: Quieting, as_of: datetime) -> Quieted | None:
    """What keeps the candidate quiet at `as_of`, the longest lasting where several do; None: it is shown.

    `answered`: cards of this patient and client that feedback was given on, each with the last report on it.
    """
    quiet = [one for earlier in answered for one in _quieting(candidate, earlier, policy) if as_of < one.until]
    return max(quiet, key=lambda one: one.until, default=None)


def _quieting(candidate: Candidate, earlier: AnsweredCard, policy: Quieting) -> Iterator[Quieted]:
    finding = candidate.card.finding
    if earlier.outcome == "accepted":
        if _is_same_card(candidate, earlier) and earlier.took_a_suggestion:
            yield Quieted(finding, ACCEPTED, earlier.at + timedelta(days=policy.accepted_days))
        return
    reason = next((one for one in policy.overridden if (one.system, one.code) == earlier.reason), None)
    if reason is None or not reason.days or _is_worse(candidate, earlier, policy.fall_percent):
        return
    lasts = timedelta(days=reason.days)
    if candidate.card.critical:
        if not _quiets_critical(candidate, earlier, reason):
            return
        lasts = min(lasts, timedelta(hours=policy.critical_hours))
    yield Quieted(finding, reason.name, earlier.at + lasts)


def _is_same_card(candidate: Candidate, earlier: AnsweredCard) -> bool:
    """The same is said of the same results, none of them critical, and nothing came that couldn't be read."""
    new = _state(candidate.card).basis.unsettled - _state(earlier.card).basis.unsettled
    return candidate.card.fingerprint == earlier.card.fingerprint and not candidate.card.critical and not new


def _is_worse(candidate: Candidate, earlier: AnsweredCard, fall_percent: Decimal) -> bool:
    then, now = _state(earlier.card), _state(candidate.card)
    return worse_than(then, now, candidate.assessment, candidate.marks, fall_percent / 100) is not None


def _quiets_critical(candidate: Candidate, earlier: AnsweredCard, reason: QuietReason) -> bool:
    """For the same critical results and the same, known user."""
    same_results = _state(candidate.card).basis.critical <= _state(earlier.card).basis.critical
    same_user = candidate.card.user is not None and candidate.card.user == earlier.card.user
    return reason.also_critical and same_results and same_user


def _state(card: IssuedCard) -> CardState:
    return CardState(card.finding, Importance(card.indicator), CardBasis.from_json(card.basis))
