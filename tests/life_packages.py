"""What a package says, read from its file, and what it must say by the model."""

import json
import re
import zipfile
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from ler.domain.states import OwnerState
from tests.life_model import Duty, Line, Request
from tests.life_scene import Scene

_LINE: Final = re.compile(
    r'<ler:Elledning gml:id="([^"]+)">.*?<ler:etableringstidspunkt>([^<]+)<.*?</ler:Elledning>', re.DOTALL
)


def check_packages(scene: Scene, request: Request) -> None:
    """Hold the newest packages of a request against the model: the one of all owners, and each owner's own."""
    sha256 = scene.newest_package(request.id, None)
    manifest, files = read_package(scene, sha256)
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
        assert _lines({name: text for name, text in files.items() if name.startswith(folder)}) == _held(
            request, owner
        )
        if request.holding(owner):
            own, own_files = read_package(scene, scene.newest_package(request.id, owner))
            assert own["complete"] == all(duty.told for duty in request.duties if duty.owner == owner)
            (mine,) = own["owners"]
            _check_owner(scene, request, owner, mine)
            assert _lines(own_files) == _held(request, owner)


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


def read_package(scene: Scene, sha256: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The manifest, and the owners' answers by name."""
    with scene.store.open(sha256, verify=True) as stream, zipfile.ZipFile(stream) as package:
        answers = [
            name for name in package.namelist() if "ledningsoplysninger" in name and name.endswith(".gml")
        ]
        return json.loads(package.read("manifest.json")), {
            name: package.read(name).decode() for name in answers
        }


def _lines(files: dict[str, str]) -> list[Line]:
    return sorted(found for text in files.values() for found in _LINE.findall(text))
