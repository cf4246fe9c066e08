"""An owner's whole network as a LER GML file, one feature at a time: its size costs disk, not memory."""

from pathlib import Path

from sqlalchemy.engine import Connection

from ler.model import Model, load_model
from ler.packages.gml import GEOMETRY_PREFIX, Answer, IdTakenError, PiecesError, stream_answer, write_answer
from ler.services.networks import Version, header_of, read_network
from ler.services.registry import Organisation


def write_network_gml(connection: Connection, owner: Organisation, version: Version, path: Path) -> int:
    """Write a version in its own version of the model; return how many features it has.

    In constant memory, but for a network that holds a line in pieces, which need to be numbered among all others. Raises
    what `read_network` raises, NotFoundError for an organisation without a CVR number; what lies at `path` is then
    unfinished.
    """
    model = load_model(version.model_version)
    prefix = GEOMETRY_PREFIX
    while True:
        features = read_network(connection, owner.id, version.number, types=_in_schema_order(model))
        try:
            with path.open("wb") as stream:
                return stream_answer(
                    stream,
                    header_of(version),
                    features,
                    model,
                    owner=(owner.cvr, owner.name),
                    geometry_prefix=prefix,
                )
        except IdTakenError:
            features.close()
            prefix = f"_{prefix}"
        except PiecesError:
            features.close()
            return _write_pieces(connection, owner, version, path)


def _write_pieces(connection: Connection, owner: Organisation, version: Version, path: Path) -> int:
    features = list(read_network(connection, owner.id, version.number))
    answer = Answer(str(owner.cvr), owner.name, header_of(version), features)
    with path.open("wb") as stream:
        write_answer(stream, answer, load_model(version.model_version))
    return len(features)


def _in_schema_order(model: Model) -> list[str]:
    order = {member: position for position, member in enumerate(model.members)}
    members = [kind for kind in model.types.values() if kind.member in order]
    return [kind.name for kind in sorted(members, key=lambda kind: (order[str(kind.member)], kind.name))]
