"""The only reader of the environment: `CDS_*`, read once, typed, frozen. Knows no other module of the project.

Each setting is explained, with its unit and default, in `deploy/settings.example.env`.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

_PREFIX = "CDS_"
_LAST_PORT = 65_535
_KEY_LENGTH = 16
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


_WORDS = {
    "bool_parsing": "must be on or off",
    "float_parsing": "must be a number",
    "greater_than_equal": "must be at least {ge:.0f}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "less_than_equal": "must be at most {le:.0f}",
    "path_not_file": "no file is found there; is the path right, and may this user read it?",
    "string_pattern_mismatch": "must say how often in a second, minute, hour or day, such as 600/minute",
    "too_short": "must not be empty; leave it unset for the default",
}
"""What the operator is told instead of the library's words, by the library's name of the error."""


class SettingsInvalid(Exception):
    """A setting can't be used. The message is one line that names each wrong variable and repeats no value."""


def _split_list(value: object) -> object:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


def _split_pairs(value: object) -> object:
    parts = _split_list(value)
    if not isinstance(parts, tuple):
        return value
    if not all("=" in part for part in parts):
        raise ValueError("must be name=days, separated by commas")
    pairs = [part.partition("=")[::2] for part in parts]
    if len({name.strip() for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands here twice")
    return {name.strip(): number.strip() for name, number in pairs}


def _check_length(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < _KEY_LENGTH:
        raise ValueError(f"must have at least {_KEY_LENGTH} characters; `openssl rand -hex 32` makes good ones")
    return key


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_list)]
FileList = Annotated[tuple[FilePath, ...], NoDecode, BeforeValidator(_split_list)]
Key = Annotated[SecretStr, AfterValidator(_check_length)]
Statuses = Annotated[
    tuple[Literal["final", "amended", "corrected", "preliminary", "unknown"], ...],
    Field(min_length=1),
    NoDecode,
    BeforeValidator(_split_list),
]
Findings = Annotated[
    tuple[Literal["leukopenia", "thrombocytopenia", "bicytopenia"], ...], NoDecode, BeforeValidator(_split_list)
]
Days = Annotated[dict[str, Annotated[int, Field(ge=0)]], NoDecode, BeforeValidator(_split_pairs)]
Retention = Annotated[
    dict[Literal["feedback", "cards", "audit"], Annotated[int, Field(ge=1, le=36_500)]],
    NoDecode,
    BeforeValidator(_split_pairs),
]


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads a secret from the file that `CDS_..._FILE` names, as container platforms hand them over."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:  # noqa: ARG002
        """Not used: files are read all at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, object]:
        return {name: _read_secret(name) for name in SECRETS if os.environ.get(_variable(name) + "_FILE")}


def _read_secret(name: str) -> str:
    variable = _variable(name)
    if os.environ.get(variable):
        raise SettingsInvalid(f"{variable} and {variable}_FILE are both set; keep one.")
    try:
        return Path(os.environ[variable + "_FILE"]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(f"{variable}_FILE: the file can't be read.") from None


class Settings(BaseSettings):
    """All settings. Secrets are of a type that can't be printed by accident."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, env_ignore_empty=True, extra="ignore")

    public_url: str = "http://127.0.0.1:8000"
    auth: Literal["required", "off"] = "required"
    trusted_clients: FilePath | None = None
    fhir_servers: CommaList = ()
    allow_http: bool = False
    allowed_origins: CommaList = ()
    database_url: SecretStr = SecretStr("sqlite:///cytopenia-cds.sqlite3")
    migrate: Literal["manual", "auto"] = "manual"
    redis_url: SecretStr | None = None
    smart_registrations: FilePath | None = None
    session_key: Key | None = None
    rate_limit: str | None = Field(default=None, pattern=r"^[1-9]\d{0,6}/(second|minute|hour|day)$")
    time_budget_ms: int = Field(default=2000, ge=100, le=60_000)
    max_body_bytes: int = Field(default=16_777_216, ge=1024, le=1_073_741_824)
    knowledge_dir: Path | None = None
    concept_maps: FileList = ()
    fhir_release: Literal["auto", "STU3", "R4", "R4B", "R5"] = "auto"
    accepted_statuses: Statuses | None = None
    patient_audience: Literal["withhold", "show"] = "withhold"
    not_evaluable_card: bool | None = None
    assessment_extension: bool = True
    mode: Literal["live", "silent"] = "live"
    paused_findings: Findings = ()
    memory: bool = True
    quieting: bool = True
    quiet_days: Days = {}
    audit: bool = True
    records_writes: Literal["behind", "before"] = "behind"
    foreign_feedback: Literal["mark", "refuse"] = "mark"
    retention_days: Retention = {}
    pseudonym_key: Key | None = None
    pseudonym_key_previous: Key | None = None
    ca_bundle: FilePath | None = None
    client_cert: FilePath | None = None
    https_proxy: str | None = Field(default=None, repr=False)  # may hold a password
    ops_token: Key | None = None
    metrics_bind: str = "127.0.0.1:9464"
    drain_seconds: float = Field(default=5.0, ge=0, le=600)
    otlp_endpoint: str | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the files it names."""
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        _split_url(url, {"http", "https"})
        return url.rstrip("/")

    @field_validator("fhir_servers")
    @classmethod
    def _check_fhir_servers(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            _split_url(re.sub(r":\*(?=/|$)", ":1", url), {"http", "https"})
        return tuple(url.rstrip("/") for url in urls)

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if _split_url(origin, {"http", "https"}).path:
                raise ValueError("an origin is scheme://host[:port], without path; '*' is not offered")
        return origins

    @field_validator("knowledge_dir")
    @classmethod
    def _check_directory(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_dir():
            raise ValueError("no folder is found there; is the path right, and may this user read it?")
        return path

    @field_validator("https_proxy")
    @classmethod
    def _check_proxy(cls, url: str | None) -> str | None:
        if url is not None:
            _split_url(url, {"http", "https"}, user_allowed=True)
        return url

    @field_validator("otlp_endpoint")
    @classmethod
    def _check_otlp_endpoint(cls, url: str | None) -> str | None:
        if url is not None:
            _split_url(url, {"http", "https"})
        return url

    @field_validator("metrics_bind")
    @classmethod
    def _check_bind(cls, address: str) -> str:
        found = re.fullmatch(r"[\w.\-:\[\]]+:(\d{1,5})", address, re.ASCII)
        if address != "off" and (found is None or int(found[1]) > _LAST_PORT):
            raise ValueError("must be host:port, or off")
        return address

    @model_validator(mode="after")
    def _check_https(self) -> "Settings":
        http = urlsplit(self.public_url).scheme == "http"
        if http and not self.public_url_is_loopback and not self.allow_http:
            raise ValueError("CDS_PUBLIC_URL: must be https, unless the host is loopback or CDS_ALLOW_HTTP=on")
        return self

    @property
    def public_url_is_loopback(self) -> bool:
        """Whether links made with it open on this machine only."""
        return urlsplit(self.public_url).hostname in LOOPBACK


SECRETS = ("database_url", "redis_url", "pseudonym_key", "pseudonym_key_previous", "ops_token", "session_key")
"""The settings that may come from a file."""


def load_settings(**overrides: object) -> Settings:
    """Read the environment once.

    Args:
        overrides: settings given otherwise, such as by a command's option.

    Raises:
        SettingsInvalid: one line naming each variable that is wrong.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # the library checks each
    except ValidationError as error:
        first = {str(found["loc"][:1]): found for found in reversed(error.errors(include_input=False))}
        raise SettingsInvalid("; ".join(map(_explain, reversed(first.values())))) from None


def _explain(error: ErrorDetails) -> str:
    told = _WORDS.get(error["type"], "").format_map(error.get("ctx", {}))
    message = told or error["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return f"{_variable(str(error['loc'][0]))}: {message}" if error["loc"] else message


def unknown_settings() -> tuple[str, ...]:
    """Variables that begin like ours and mean nothing to this version: a misspelling, most often."""
    known = {_variable(name) for name in Settings.model_fields} | {_variable(name) + "_FILE" for name in SECRETS}
    return tuple(sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in known))


def settings_without_effect(settings: Settings) -> tuple[str, ...]:
    """Variables that were set and don't apply beside others."""
    useless = "fhir_servers" if settings.auth == "required" else "trusted_clients"
    return (_variable(useless),) if getattr(settings, useless) else ()


def _split_url(url: str, schemes: set[str], user_allowed: bool = False) -> SplitResult:
    try:
        parts = urlsplit(url)
        complete = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        complete = False
    if not complete or parts.query or parts.fragment or ("@" in parts.netloc and not user_allowed):
        raise ValueError(f"must be an absolute URL ({' or '.join(sorted(schemes))}), without query or fragment")
    return parts


def _variable(name: str) -> str:
    return _PREFIX + name.upper()
