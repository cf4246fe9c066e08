"""What a package says, read from its file, and what it must say by the model."""

import json
import re
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from ler.domain.states import OwnerState
from tests.life_scene import Scene
from tests.life_things import Duty, Line, Request

_LINE: Final = re.compile(
    r'<ler:Elledning gml:id="([^"]+)">.*?<ler:etableringstidspunkt>([^<]+)<.*?</ler:Elledning>', re.DOTALL
)

_ANSWER: Final = re.compile(r"ledningsoplysninger[^/]*\.gml$")
_PLAN: Final = re.compile(r"(^|/)plan-[0-9]+\.pdf$")
_TEXT: Final = re.compile(r"\.(gml|geojson|json|xml|txt|html)$")


def check_packages(scene: Scene, request: Request, *, whole: bool = True) -> None:
    """Hold the newest packages of a request against the model: each owner's own, and the one of all if `whole`."""
    if whole:
        _check_whole(scene, request)
    for owner in request.owners:
        if request.holding(owner):
            own, files = read_package(scene, scene.newest_package(request.id, owner))
            assert own["complete"] == all(duty.told for duty in request.duties if duty.owner == owner)
            (mine,) = own["owners"]
            _check_owner(scene, request, owner, mine)
            _check_content(request, owner, files)


def _check_whole(scene: Scene, request: Request) -> None:
    manifest, files = read_package(scene, scene.newest_package(request.id, None))
    assert manifest["revision"] == request.revision
    assert manifest["complete"] == all(duty.told for duty in request.duties)
    codes = {one["code"] for one in manifest["notices"]}
    assert ("all-answered" in codes) == (manifest["complete"] and bool(request.duties))
    assert ("answers-missing" in codes) == (not manifest["complete"])
    told = {UUID(one["id"]): one for one in map(_named(scene), manifest["owners"])}
    assert told.keys() == request.owners
    for owner, entry in told.items():
        _check_owner(scene, request, owner, entry)
        folder = f"{entry['cvr']}-"
        _check_content(request, owner, {name: one for name, one in files.items() if name.startswith(folder)})


def _check_content(request: Request, owner: UUID, files: dict[str, bytes]) -> None:
    """The lines and files of the answers that hold, each once, and nothing of what waits for the owner's word."""
    answers = {name: content.decode() for name, content in files.items() if _ANSWER.search(name)}
    assert _lines(answers) == _held(request, owner)
    plans = {
        (name.rpartition("/")[2], sha256(content).hexdigest())
        for name, content in files.items()
        if _PLAN.search(name)
    }
    holding = request.holding(owner)
    assert plans == {file for one in holding for file in one.files}
    shown = {gml_id for one in holding for gml_id, _ in one.lines}
    for secret in {gml_id for one in holding for gml_id, _ in one.withheld} - shown:
        for name, content in files.items():
            assert not re.search(rf"\b{secret}\b".encode(), content) or not _TEXT.search(name), name


def _check_owner(scene: Scene, request: Request, owner: UUID, entry: dict[str, Any]) -> None:
    duties = [duty for duty in request.duties if duty.owner == owner]
    assert {
        (one["registration_number"], one["state"], one["late"], one["due_at"]) for one in entry["areas"]
    } == {(scene.numbers[duty.area.id], _state(duty), duty.late, _moment(duty.due)) for duty in duties}
    assert {
        (one["answer_id"], one["answer"], one["revision"], one["given_by"], one["feature_count"]): sorted(
            one["interest_areas"]
        )
        for one in entry["answers"]
    } == {
        (
            str(one.id),
            one.kind,
            one.revision,
            "owner" if one.by_owner else "platform",
            len(one.lines),
        ): sorted(scene.numbers[duty.area.id] for duty in request.speaks_for(one))
        for one in request.holding(owner)
    }
    versions = {one.version for one in request.holding(owner) if one.version is not None}
    if request.holding(owner):
        assert entry["dataset_version"] == (max(versions) if versions else None)


def _held(request: Request, owner: UUID) -> list[Line]:
    return sorted(line for one in request.holding(owner) for line in one.lines)


def _state(duty: Duty) -> OwnerState:
    return OwnerState.ASKED if duty.state is OwnerState.ACKNOWLEDGED else duty.state


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _named(scene: Scene) -> Any:  # noqa: ANN401 - a function of entries
    by_cvr = {cvr: owner for owner, cvr in scene.cvrs.items()}
    return lambda entry: entry | {"id": str(by_cvr[entry["cvr"]])}


def read_package(scene: Scene, digest: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest, and all files by name."""
    with scene.store.open(digest, verify=True) as stream, zipfile.ZipFile(stream) as package:
        files = {name: package.read(name) for name in package.namelist()}
        return json.loads(files["manifest.json"]), files


def _lines(files: dict[str, str]) -> list[Line]:
    return sorted(found for text in files.values() for found in _LINE.findall(text))
