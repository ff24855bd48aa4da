"""How a message leaves the server: SMTP with TLS, or an HTTP POST. Secrets are read when they are needed."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final

import httpx
from shopfloor.plant import ShopfloorError
from shopfloor.plant.config import MailSection
from shopfloor.services.notify.message import Message

_PATIENCE_S: Final = 15.0
_KINDS: Final = {".pdf": ("application", "pdf"), ".html": ("text", "html")}


class NotTaken(ShopfloorError):  # noqa: N818 (a state of the world)
    """Nobody took the message; the sentence says why, without secrets."""


def mail(section: MailSection, target: str, message: Message, key: str) -> None:
    """Give a message to the mail server; anything but its yes raises `NotTaken`. `key` names it for those who sort."""
    try:
        with _connected(section) as server:
            server.send_message(_letter(section, target, message, key))
    except smtplib.SMTPAuthenticationError as problem:
        raise NotTaken(f"The mail server {section.host} refuses the login ({problem.smtp_code}).") from problem
    except smtplib.SMTPResponseException as problem:
        raise NotTaken(f"The mail server {section.host} refuses the message ({problem.smtp_code}).") from problem
    except (smtplib.SMTPException, OSError) as problem:
        raise NotTaken(f"The mail server {section.host} cannot be used ({type(problem).__name__}).") from problem


def webhook(url: str, token_file: str | None, message: Message, key: str) -> None:
    """POST a message as JSON; anything but 2xx raises `NotTaken`. The URL may be a secret: only its host is told."""
    headers = {"Idempotency-Key": key}
    if token_file:
        headers["Authorization"] = f"Bearer {_secret(token_file, 'token of the webhook')}"
    body = {"subject": message.subject, "text": message.text, **message.data}
    host = httpx.URL(url).host
    try:
        status = httpx.post(url, json=body, headers=headers, timeout=_PATIENCE_S, trust_env=False).status_code
    except httpx.HTTPError as problem:
        raise NotTaken(f"The webhook at {host} cannot be reached ({type(problem).__name__}).") from problem
    if not 200 <= status < 300:
        raise NotTaken(f"The webhook at {host} answered {status}.")


def _connected(section: MailSection) -> smtplib.SMTP:
    """An open connection, encrypted and logged in as the plant file says."""
    context = ssl.create_default_context()
    if section.ca_file:
        context.load_verify_locations(section.ca_file)
    server: smtplib.SMTP
    if section.security == "tls":
        server = smtplib.SMTP_SSL(section.host, section.port, timeout=_PATIENCE_S, context=context)
    else:
        server = smtplib.SMTP(section.host, section.port, timeout=_PATIENCE_S)
    try:
        if section.security == "starttls":
            server.starttls(context=context)
        if section.user and section.password_file:
            server.login(section.user, _secret(section.password_file, "password of the mail server"))
    except BaseException:
        server.close()
        raise
    return server


def _letter(section: MailSection, target: str, message: Message, key: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = section.sender, target, message.subject
    letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(key, section.sender.rpartition("@")[2])
    letter.set_content(message.text)
    if message.attachment:
        _attach(letter, Path(message.attachment), message)
    return letter


def _attach(letter: EmailMessage, file: Path, message: Message) -> None:
    """A file that is no longer kept is missed in words: waiting would not bring it back."""
    name = str(message.data.get("file") or file.name)
    kind, part = _KINDS.get(file.suffix, ("application", "octet-stream"))
    try:
        letter.add_attachment(file.read_bytes(), maintype=kind, subtype=part, filename=name)
    except FileNotFoundError:
        letter.set_content(f"{message.text}\n\nThe file {name} is no longer kept on the server.")
    except OSError as problem:
        raise NotTaken(f"The file {name} of a message cannot be read ({type(problem).__name__}).") from problem


def _secret(file: str, what: str) -> str:
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise NotTaken(f"The {what} cannot be read from {file} ({type(problem).__name__}).") from problem
