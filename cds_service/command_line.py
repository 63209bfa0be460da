"""What commands have in common: the settings, and errors in one line on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from cds_service.cds_hooks.errors import CallRefused
from cds_service.knowledge.strict_files import KnowledgeError
from cds_service.settings import Settings, SettingsInvalid, load_settings, unknown_settings


class WrongSetting(click.ClickException):
    """A setting that can't be used (exit code 2)."""

    exit_code = 2


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn what can go wrong into one line: exit code 2 for a setting, else 1."""
    try:
        yield
    except (CallRefused, KnowledgeError) as error:
        named = str(error).startswith("CDS_")
        raise (WrongSetting if named else click.ClickException)(str(error)) from None
    except (SettingsInvalid, ValueError) as error:
        raise WrongSetting(str(error)) from None


def read_settings() -> Settings:
    """The settings; a variable that means nothing to this version gets a warning.

    Raises:
        WrongSetting: one can't be used.
    """
    with errors_in_one_line():
        settings = load_settings()
    for name in unknown_settings():
        click.echo(f"Warning: {name} is not a setting of this version; it is ignored.", err=True)
    return settings
