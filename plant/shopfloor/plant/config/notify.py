"""Notification of a plant file: by e-mail or webhook, in steps, quiet in some shifts."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from shopfloor.plant.config.section import Name, Section, Whole, url_of
from shopfloor.plant.config.units import Duration

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class MailSection(Section):
    """The mail server that takes messages."""

    host: str = Field(description="Name of the mail server (SMTP).", min_length=1)
    port: Whole = Field(587, ge=1, le=65_535, description="Its port: 587 with starttls, 465 with tls.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is encrypted; 'none' is allowed on this machine only."
    )
    sender: str = Field(description="Address that the messages come from.", pattern=r"^[^@\s]+@[^@\s]+$")
    user: str = Field("", description="Login at the mail server, when it wants one.")
    password_file: str | None = Field(None, description="File that holds the password of 'user'.")
    ca_file: str | None = Field(None, description="Certificates (PEM) that are trusted besides those of the system.")

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if self.security == "none" and self.host not in _LOCAL:
            raise ValueError(
                f"mail to {self.host!r} would travel in the open: write 'security: starttls' or 'security: tls'"
            )
        if bool(self.user) != bool(self.password_file):
            given, other = ("user", "password_file") if self.user else ("password_file", "user")
            raise ValueError(f"{given!r} is given without {other!r}: give both, or neither")
        return self


class StepSection(Section):
    """Whom to tell when an alarm has waited so long for its acknowledgement."""

    after: Duration = Field(0.0, description="How long after the alarm began, while nobody acknowledged it.")
    mail: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field((), description="Addresses.")
    webhook: Annotated[str, url_of("https", "http")] | None = Field(
        None, description="URL that gets the message as JSON by POST."
    )
    token_file: str | None = Field(None, description="File that holds the bearer token of the webhook.")
    quiet: tuple[Name, ...] = Field((), description="Shifts in which this step says nothing; it speaks when they end.")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.mail and not self.webhook:
            raise ValueError("a step tells nobody: give 'mail', 'webhook' or both")
        if self.webhook and self.webhook.startswith("http:") and urlsplit(self.webhook).hostname not in _LOCAL:
            raise ValueError("a webhook on another machine is reached in the open: write 'https://' before its address")
        if self.token_file and not self.webhook:
            raise ValueError("a 'token_file' without a 'webhook' is for nobody: remove it, or add 'webhook'")
        return self


class RouteSection(Section):
    """Which alarms go to whom."""

    name: Name = Field(description="What people call it.")
    priority: Whole = Field(1, ge=1, le=3, description="Alarms of this priority or a more urgent one (1).")
    assets: tuple[str, ...] = Field((), description="Paths or their beginnings, '*' for a level; by default all.")
    steps: tuple[StepSection, ...] = Field(description="Whom to tell, the soonest first.", min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [step.after for step in self.steps]
        if times != sorted(times):
            raise ValueError(f"the steps of the route {self.name!r} are not in order: write the soonest first")
        return self


class NotifySection(Section):
    """Who is told of alarms outside the control room."""

    mail: MailSection | None = Field(None, description="The mail server; needed where a step has 'mail'.")
    routes: tuple[RouteSection, ...] = Field((), description="Which alarms go to whom.")
    link: Annotated[str, url_of("https", "http")] | None = Field(
        None, description="Address of this server's pages, for the link in a message."
    )

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        mailed = next((route.name for route in self.routes for step in route.steps if step.mail), "")
        if mailed and self.mail is None:
            raise ValueError(f"the route {mailed!r} sends mail and no mail server is named: add 'mail'")
        names = [route.name for route in self.routes]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), "")
        if twice:
            raise ValueError(f"the route {twice!r} is given twice: rename one of them")
        return self
