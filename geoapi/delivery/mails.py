"""Mails: text and HTML in one, made once and kept before the first try, and given to the operator's own mail server."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template, select_autoescape

from geoapi.delivery.texts import Language, words_of
from ler.domain.delivery import Result, Verdict
from ler.services.outbox import Outgoing
from ler.settings import Settings

_PERMANENT: Final = 500
_FOOTER: Final = {
    "da": "Sendt af ledningsregistret. Svar ikke på denne mail.",
    "en": "Sent by the register of lines. Do not answer this mail.",
}


@dataclass(frozen=True, slots=True)
class Link:
    """Something to go on with."""

    name: str
    address: str


def make_mail(outgoing: Outgoing, links: Sequence[Link], settings: Settings) -> str:
    """Return a mail as it goes over the wire, in ASCII; the same notice to the same place makes the same Message-ID."""
    language: Language = "da" if outgoing.language == "da" else "en"
    words = words_of(outgoing.kind, outgoing.data, language, code=outgoing.code)
    values = {
        "subject": words.subject,
        "happened": words.happened,
        "to_do": words.to_do,
        "language": language,
        "links": [(link.name, link.address) for link in links],
        "footer": _FOOTER[language],
    }
    domain = settings.mail_from.partition("@")[2]
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = settings.mail_from
    mail["To"] = outgoing.address
    mail["Subject"] = words.subject
    mail["Date"] = outgoing.at
    mail["Message-ID"] = f"<{outgoing.id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = language
    mail.set_content(_template("mail.txt.j2").render(values), cte="base64")
    mail.add_alternative(_template("mail.html.j2").render(values), subtype="html", cte="base64")
    return mail.as_bytes().decode("ascii")


def send_mail(outgoing: Outgoing, mail: str, settings: Settings) -> Result:
    """Give a mail that was made to the server once, and return what it said."""
    try:
        with _connection(settings) as server:
            server.sendmail(settings.mail_from, [outgoing.address], mail.encode("ascii"))
    except smtplib.SMTPRecipientsRefused as error:
        status = max((code for code, _ in error.recipients.values()), default=0)
        return _refusal(status)
    except smtplib.SMTPResponseException as error:
        return _refusal(error.smtp_code)
    except TimeoutError:
        return Result(Verdict.AGAIN, fault="timeout")
    except ssl.SSLError:
        return Result(Verdict.AGAIN, fault="tls")
    except (OSError, smtplib.SMTPException):
        return Result(Verdict.AGAIN, fault="unreachable")
    return Result(Verdict.DELIVERED, 250)


def _refusal(status: int) -> Result:
    verdict = Verdict.NEVER if status >= _PERMANENT else Verdict.AGAIN
    return Result(verdict, status, "refused" if verdict is Verdict.NEVER else "put-off")


def _connection(settings: Settings) -> smtplib.SMTP:
    host, port, timeout = settings.smtp_host or "", settings.smtp_port, settings.notice_timeout_s
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)
        if settings.smtp_security == "tls"
        else smtplib.SMTP(host, port, timeout=timeout)
    )
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
        if settings.smtp_user is not None:
            password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
            server.login(settings.smtp_user, password)
    except BaseException:
        server.close()
        raise
    return server


@cache
def _environment() -> Environment:
    folder = files(__package__).joinpath("templates")
    # Escaped where it is HTML.
    return Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> Template:
    return _environment().get_template(name)
