"""What a body makes of a request: copies, renewals, orders, and codes of the work."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from shapely import box
from shapely.geometry import mapping

from geoapi.request_bodies import CopyBody, OrderBody, RenewalBody, again, read_order
from geoapi.request_views import revision_of
from ler.domain.faults import FaultsError
from ler.domain.fees import Asked, price, prices
from ler.domain.request_rules import Contact, DigKind, RequestForm, RequestLimits, Work, request_faults
from ler.domain.states import RequestState
from ler.domain.work_codes import work_kinds, work_methods
from ler.services.request_reading import StoredRequest
from ler.settings import Settings

SETTINGS = Settings()
TODAY = date(2026, 11, 24)
PERIOD = {"period_from": "2026-12-01", "period_to": "2026-12-14"}
AREA = box(575000, 6224000, 575100, 6224050)
ADDRESS = UUID("0a3f50a0-0001-32b8-e044-0003ba298018")
OLD = StoredRequest(
    id=uuid4(),
    order_number=7,
    requester_id=uuid4(),
    area=AREA,
    area_m2=5000.0,
    clip_buffer_m=0.0,
    period_from=date(2026, 1, 1),
    period_to=date(2026, 1, 2),
    purpose="Stik",
    description="til nr. 12",
    kind=DigKind.EMERGENCY,
    already_started=True,
    order_reference="7",
    utility_types=("vand",),
    contact=Contact("a@b.dk", "Ane"),
    work=Work("repair"),
    state=RequestState.ENDED,
    price=Decimal("35.00"),
    currency="DKK",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    matched_at=None,
    revision=1,
    renews_id=None,
    order_id=None,
    address_ids=(ADDRESS,),
    owners_named=None,
)


def test_a_renewal_is_as_it_was_but_has_not_begun() -> None:
    wanted = again(OLD, RenewalBody.model_validate(PERIOD), SETTINGS, None)
    assert (wanted.area, wanted.purpose, wanted.description) == (AREA, "Stik", "til nr. 12")
    assert (wanted.kind, wanted.already_started) == (DigKind.EMERGENCY, False)
    assert (wanted.contact, wanted.work, wanted.renews_id) == (OLD.contact, OLD.work, OLD.id)
    assert wanted.address_ids == (ADDRESS,)
    assert wanted.period_from == date(2026, 12, 1)


def test_a_copy_says_otherwise_what_it_says_and_null_takes_away() -> None:
    body = CopyBody.model_validate(
        {**PERIOD, "description": None, "contact": None, "work": {"method": "hand"}, "address_ids": None}
    )
    wanted = again(OLD, body, SETTINGS, box(0, 0, 1, 1))
    assert (wanted.description, wanted.contact, wanted.work) == (None, None, Work(method="hand"))
    assert (wanted.order_reference, wanted.utility_types) == ("7", ("vand",))
    assert wanted.address_ids == ()
    assert wanted.area.equals(box(0, 0, 1, 1))
    with pytest.raises(ValueError, match="purpose cannot be null"):
        CopyBody.model_validate({**PERIOD, "purpose": None})


def test_faults_of_an_order_that_all_areas_share_are_told_once() -> None:
    areas = [{"area": mapping(AREA)} for _ in range(3)]
    body = OrderBody.model_validate({**PERIOD, "purpose": " ", "areas": areas})
    with pytest.raises(FaultsError) as error:
        read_order(body, SETTINGS, TODAY, uuid4())
    assert [one.pointer for one in error.value.faults] == ["/purpose"]


def test_the_work_is_told_by_codes() -> None:
    assert {"other", "repair"} <= set(work_kinds())
    for names in [*work_kinds().values(), *work_methods().values()]:
        assert set(names) == {"da", "en"}

    def faults(work: Work) -> list[str]:
        form = RequestForm(TODAY, TODAY, "x", work=work)
        return [one.code for one in request_faults(form, today=TODAY, limits=RequestLimits())]

    assert faults(Work("other", "ny bænk", "hand", 0.5)) == []
    assert faults(Work("other")) == ["work-kind-other"]
    assert faults(Work("repair", "noget")) == ["work-kind-other"]
    assert faults(Work("repair", method="magic")) == ["work-method-unknown"]
    assert faults(Work(depth_m=0.0)) == faults(Work(depth_m=101.0)) == ["depth-invalid"]
    assert faults(Work("other", "x" * 101)) == ["text-too-long"]


def test_what_was_charged_counts_whatever_the_area_would_cost() -> None:
    free = Asked(TODAY, 1_000_000.0, charged=Decimal("0.00"))
    dear = Asked(TODAY, 1.0, charged=Decimal("165999.00"))
    first, second, third = prices([free, dear, Asked(TODAY, 1000.0)])
    assert (first.amount, first.capped, first.fixed) == (Decimal(0), False, True)
    assert second.amount == Decimal("165999.00")
    assert (third.amount, third.capped) == (Decimal("1.00"), True)
    assert price(Asked(TODAY, 1000.0), [free]).amount == Decimal("7.00")


@pytest.mark.parametrize(
    ("tag", "revision"),
    [
        ('"r3-ab"', 3),
        ('W/"r12-x"', 12),
        ('"r3"', 3),
        ('"3"', None),
        ("r", None),
        ('"r99999999999999"', None),
        ("", None),
    ],
)
def test_a_tag_names_a_revision(tag: str, revision: int | None) -> None:
    assert revision_of(tag) == revision
