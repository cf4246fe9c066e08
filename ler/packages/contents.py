"""What every writer of a package's members is given: the request, its owners, and what the operator chose."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ler.domain.uncertainty import UNKNOWN_ACCURACY_M
from ler.model import Feature
from ler.packages.content import Delivery, OwnerStatus, RequestInfo
from ler.signing import SigningKey

if TYPE_CHECKING:
    from ler.packages.assessment import Assessed
    from ler.packages.base_map import BaseMap
    from ler.packages.cover import Covers
    from ler.packages.warnings import UtilityWarning


@dataclass(frozen=True, slots=True)
class PackageOptions:
    """What the operator chose for all packages; the same for a package and for its mending."""

    public_url: str | None = None
    """Where the platform is reached, without a slash at its end: what printed codes point to."""
    terrain: Path | None = None
    """A terrain model: GeoTIFF, a folder of them, or a VRT. None: no depth of cover is computed."""
    terrain_accuracy_m: float | None = None
    """What its heights may be off, as its producer says; None: the cover's uncertainty is not known."""
    terrain_is_dvr90: bool = False
    """Whether files that do not say what their heights are hold metres DVR90."""
    unknown_accuracy_m: float = UNKNOWN_ACCURACY_M
    """What a position may be off whose accuracy class has no bound or is not known."""
    clearances: Path | None = None
    """The operator's rules of what to keep away from which line, besides ours; what came of them is in `Contents.warnings`."""
    base_map: Path | None = None
    """A map that is drawn pale below the lines: GeoTIFF or GeoPackage. None: no base map."""
    theme: str = "ler"
    """Of the style source."""
    signer: SigningKey | None = field(default=None, repr=False)
    """Signs the manifest; None: it is not signed, as in tests."""
    verification_secret: bytes | None = field(default=None, repr=False)
    """Of which the printed code of a package is made; None: it has no code."""


DEFAULT_OPTIONS = PackageOptions()


@dataclass(frozen=True)
class Contents:
    """A package's content. The same contents give the same bytes of every member."""

    request: RequestInfo
    owners: Sequence[OwnerStatus]
    owner_id: UUID | None = None
    """None for the consolidated package."""
    options: PackageOptions = DEFAULT_OPTIONS
    folders: dict[str, str] = field(default_factory=dict)
    """Folder of each owner in the package, with its slash, by the owner's id; empty in its own package."""
    warnings: "Sequence[UtilityWarning] | None" = None
    """What the consolidated package warns of; None: nobody has looked."""
    _made: dict[Callable[["Contents"], Any], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def consolidated(self) -> bool:
        """Whether it is the package of all owners."""
        return self.owner_id is None

    @cached_property
    def covers(self) -> "Covers":
        """Depth of cover of every delivered feature, in the order of `features`."""
        from ler.packages.assessment import measure_cover  # noqa: PLC0415 - rasters, for who makes packages

        return measure_cover(self)

    @cached_property
    def assessed(self) -> "Sequence[Assessed]":
        """Every delivered feature with what is to be seen of it, in the order of `features`."""
        from ler.packages.assessment import assess  # noqa: PLC0415 - as above

        return assess(self)

    @cached_property
    def base_map(self) -> "BaseMap":
        """The operator's map, as far as it can be drawn around the area."""
        from ler.packages.base_map import BaseMap  # noqa: PLC0415 - as above

        return BaseMap(self.options.base_map, self.request.area)

    def once[T](self, make: Callable[["Contents"], T]) -> T:
        """What several writers need of it, made for the first of them."""
        if make not in self._made:
            self._made[make] = make(self)
        made: T = self._made[make]
        return made

    def features(self) -> Iterator[tuple[OwnerStatus, Delivery, Feature]]:
        """Every delivered feature with the answer that it came in and its owner, in the order of the package."""
        for owner in self.owners:
            for delivery in owner.deliveries:
                for feature in delivery.features:
                    yield owner, delivery, feature
