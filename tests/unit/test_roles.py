"""Roles: what each permits, and that nothing adds a right."""

from itertools import combinations
from pathlib import Path

import pytest

from ler.domain.access import Scope
from ler.domain.roles import (
    ADMINISTRATORS_ONLY,
    MANDATABLE,
    PERMISSIONS_OF,
    Role,
    known_roles,
    known_scopes,
    permitted,
    permitted_by_mandate,
    permitted_to_member,
)


def test_every_role_permits_something_and_every_scope_is_permitted_to_somebody() -> None:
    assert set(PERMISSIONS_OF) == set(Role)
    assert all(PERMISSIONS_OF.values())
    assert permitted(Role) == set(Scope)


@pytest.mark.parametrize("scope", [Scope.NETWORK_READ, Scope.NETWORK_UPLOAD, Scope.NETWORK_APPROVE, Scope.ANSWER_READ, Scope.ANSWER_WRITE])  # fmt: skip
def test_only_owners_have_networks_and_answers(scope: Scope) -> None:
    assert {role for role in Role if scope in PERMISSIONS_OF[role]} == {Role.OWNER}


def test_who_asks_and_who_only_reads() -> None:
    asking = {role for role in Role if Scope.REQUEST_WRITE in PERMISSIONS_OF[role]}
    assert asking == {Role.EXCAVATOR, Role.PRIVATE, Role.AUTHORITY, Role.OPERATOR}
    writes = {scope for scope in PERMISSIONS_OF[Role.AUDITOR] if scope.endswith(":write")}
    assert writes == {Scope.TOKEN_WRITE}
    assert PERMISSIONS_OF[Role.PROVIDER] < PERMISSIONS_OF[Role.OWNER]


def test_roles_together_permit_what_each_permits_and_no_role_permits_nothing() -> None:
    assert permitted([]) == frozenset()
    for one, other in combinations(Role, 2):
        assert permitted([one, other]) == PERMISSIONS_OF[one] | PERMISSIONS_OF[other]


def test_a_member_that_is_no_administrator_changes_neither_register_nor_tokens() -> None:
    assert permitted_to_member([Role.OWNER], administrator=True) == PERMISSIONS_OF[Role.OWNER]
    lacking = PERMISSIONS_OF[Role.OWNER] - permitted_to_member([Role.OWNER], administrator=False)
    assert lacking == ADMINISTRATORS_ONLY


def test_a_mandate_goes_no_further_than_the_rights_of_who_gave_it() -> None:
    assert permitted_by_mandate(Scope, []) == frozenset()
    assert permitted_by_mandate([], Role) == frozenset()
    assert permitted_by_mandate(Scope, [Role.OWNER]) == PERMISSIONS_OF[Role.OWNER] & MANDATABLE
    assert permitted_by_mandate([Scope.REQUEST_WRITE], [Role.OWNER]) == frozenset()
    assert Scope.TOKEN_WRITE not in permitted_by_mandate(Scope, Role)


def test_names_that_this_version_does_not_know_grant_nothing() -> None:
    assert known_roles(["owner", "king", ""]) == {Role.OWNER}
    assert known_scopes(["answer:read", "answer:burn"]) == {Scope.ANSWER_READ}


def test_the_page_of_the_register_says_what_each_role_permits() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "reference", "register.md").read_text(encoding="utf-8")
    for role in Role:
        permits = ", ".join(f"`{scope.value}`" for scope in sorted(PERMISSIONS_OF[role]))
        assert f"| `{role.value}` | {permits} |" in page
