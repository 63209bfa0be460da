"""What the settings say of the site itself: its keys, its ways out, what it shows. Decides nothing."""

import secrets
from importlib.metadata import version

from pydantic import SecretStr

from cds_service.outbound.client import OutboundSettings
from cds_service.services.card_composer import CLINICIANS_ONLY, SiteOptions
from cds_service.services.pseudonyms import Pseudonyms
from cds_service.settings import Settings

DISTRIBUTION = "cytopenia-cds"


def outbound_settings(settings: Settings) -> OutboundSettings:
    """How others are called."""
    return OutboundSettings(
        ca_bundle=settings.ca_bundle, client_cert=settings.client_cert, https_proxy=settings.https_proxy
    )


def site_options(settings: Settings) -> SiteOptions:
    """What a card may say at this site, and whether it is shown."""
    return SiteOptions(
        software_version=version(DISTRIBUTION),
        public_url=settings.public_url,
        fingerprint_key=pseudonym_key(settings),
        withheld_audience=CLINICIANS_ONLY if settings.patient_audience == "withhold" else frozenset(),
        extension=settings.assessment_extension,
        silent=settings.mode == "silent",
        paused=frozenset(settings.paused_findings),
    )


def pseudonym_key(settings: Settings) -> bytes:
    """The site's key. Without one this start has its own, and what was remembered before isn't recognised."""
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    return secrets.token_bytes(32)


def with_keys_of_this_run(settings: Settings) -> Settings:
    """The settings with a key of this run wherever the site gave none, the same for all of its processes."""
    return settings.model_copy(
        update={
            name: SecretStr(secrets.token_urlsafe(32))
            for name in ("pseudonym_key", "session_key")
            if getattr(settings, name) is None
        }
    )


def previous_pseudonyms(settings: Settings) -> Pseudonyms | None:
    """Those of the key before, while it is being replaced."""
    key = settings.pseudonym_key_previous
    return Pseudonyms(key.get_secret_value().encode()) if key else None
