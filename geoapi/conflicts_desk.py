"""What a report of conflicts is made of: the dig, its conflicts and their lines, as far as who acts may see them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.engine import Connection

from conflicts.clearances import Clearances, load_clearances
from conflicts.dig import Dig, dig_of_work
from conflicts.existing import Delivered
from conflicts.network import lines_near
from conflicts.sections import told_of
from conflicts.stored import dig_of_request, rules_of_owners
from geoapi.conflicts_report import Reported
from ler.db.rows import row_to_feature
from ler.db.tables import owner_answer, package_feature
from ler.packages.contents import PackageOptions
from ler.services.registry import Organisation
from ler.services.requests import get_request
from ler.services.works import find_work

type Rows = Sequence[Mapping[str, Any]]


def report_of_id(
    connection: Connection, who: Organisation, wanted: UUID, rows: Rows, options: PackageOptions
) -> Reported:
    """Return the report of a request's conflicts, or of those of a planned work; NotFoundError for any other id."""
    work = find_work(connection, wanted)
    if work is not None:
        return report_of_dig(connection, who, (work.work.title, dig_of_work(work.work)), rows, options)
    request = get_request(connection, wanted)
    dig = dig_of_request(connection, request)
    named = (f"{request.order_number} {request.purpose}", dig)
    return _report(named, rows, _delivered(connection, wanted), _rules(connection, dig, options), options)


def report_of_dig(
    connection: Connection, who: Organisation, named: tuple[str, Dig], rows: Rows, options: PackageOptions
) -> Reported:
    """Return the report of a dig, with its name, held against the network of who acts."""
    _, dig = named
    rules = _rules(connection, dig, options)
    lines = lines_near(connection, dig, rules, options.unknown_accuracy_m)
    own = [{**row, "owner_id": who.id, "owner_name": who.name} for row in rows]
    return _report(named, own, lines, rules, options)


def _report(
    named: tuple[str, Dig], rows: Rows, lines: Sequence[Delivered], rules: Clearances, options: PackageOptions
) -> Reported:
    name, dig = named
    return Reported(name, dig, told_of(rows, lines, rules, options.unknown_accuracy_m), rules)


def _rules(connection: Connection, dig: Dig, options: PackageOptions) -> Clearances:
    rules = load_clearances(options.clearances, of_owners=rules_of_owners(connection))
    return rules if dig.on is None else rules.on(dig.on)


def _delivered(connection: Connection, request_id: UUID) -> list[Delivered]:
    """The lines of the answers that hold."""
    feature, answer = package_feature.c, owner_answer.c
    query = (
        select(package_feature)
        .join(owner_answer, answer.id == feature.answer_id)
        .where(feature.request_id == request_id, answer.replaced_at.is_(None), answer.withdrawn_at.is_(None))
        .order_by(feature.answer_id, feature.seq)
    )
    rows = connection.execute(query).mappings()
    return [Delivered(row["owner_id"], row_to_feature(dict(row))) for row in rows]
