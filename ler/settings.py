"""Every setting of the platform, with its default and the reason for it; read from `LER_*` variables and `.env`.

Law that can change and figures that we could not read in full are settings, never constants in code.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ler.domain.deadlines import BeforeOpening, DayEnd, Remainder


def default_home() -> Path:
    """Where the private database cluster lives: outside root's home, since PostgreSQL drops to another user."""
    if os.geteuid() == 0:
        return Path("/var/lib/ler")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "ler"


class Settings(BaseSettings):
    """Settings of one process; construct it in `main()` and pass it on."""

    model_config = SettingsConfigDict(env_prefix="LER_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(default_factory=default_home)
    """Folder of the private database cluster."""

    blob_dir: Path | None = None
    """Folder of the files that are kept: uploads, drawings, packages; `blobs` in the home folder when not set. It may be
    another disk; what is in it goes into the backup together with the database."""

    blob_url: str | None = Field(default=None, pattern=r"^s3://[a-z0-9.-]{3,63}(/[A-Za-z0-9._/-]*)?$")
    """Bucket of an object store that speaks S3, `s3://bucket/prefix`, in which files are kept; BLOB_DIR then holds those
    that are in use on this machine, and needs no backup. None: files are kept in BLOB_DIR alone."""

    blob_endpoint: str | None = Field(default=None, pattern=r"^https?://[^?#]+$")
    """Address of an object store that is not Amazon's; http only within a network that nobody else is on."""

    blob_region: str = "us-east-1"
    """Region of the bucket; most stores of others take any."""

    blob_access_key: str | None = None
    """Name of the key to the bucket; without it AWS_ACCESS_KEY_ID of the environment, or the machine's role."""

    blob_secret_key: SecretStr | None = None
    """Its secret."""

    database_url: str | None = Field(default=None, pattern=r"^postgresql\+psycopg://")
    """SQLAlchemy-style address of a database that you keep yourself; when set, the private cluster is not touched."""

    database_name: str = "ler"
    """Name of the database in the private cluster."""

    coverage: tuple[float, float, float, float] = (120_000.0, 5_900_000.0, 1_000_000.0, 6_500_000.0)
    """West, south, east, north in EPSG:25832, metres: where requests and networks may lie (Danish land, sea and
    shelf with a margin; the register publishes no figure)."""

    max_area_m2: float = 250_000.0
    """Largest dig area, m2 (reported in a news page of ler.dk; the law states no figure)."""

    min_area_m2: float = Field(default=1.0, gt=0.0)
    """Smallest dig area, m2 (no figure is published; a smaller one is a slip of the hand)."""

    max_polygons: int = Field(default=100, ge=1)
    """Most polygons and lines of one dig area (LER refuses too many, error code 19-393, and does not say how many)."""

    max_corridor_width_m: float = Field(default=60.0, gt=0.0)
    """Widest corridor along a line, m (the first register buffered lines by 30 m at most, as reported)."""

    longest_period_days: int = Field(default=366, ge=1)
    """Longest period of one dig, days (not published; a dig can be extended)."""

    days_ahead: int = Field(default=730, ge=0)
    """How far ahead a dig may begin, days (not published)."""

    days_back: int = Field(default=0, ge=0)
    """How far back a dig may have begun, days (LER refuses what is too far back, error code 19-340, and does not say
    how far)."""

    days_back_when_started: int = Field(default=30, ge=0)
    """How far back an urgent dig may have begun that is asked about after its start, days (BEK 1534 § 13(3) says as
    soon as possible)."""

    extra_days_off: tuple[str, ...] = ("06-05", "12-24", "12-31")
    """Days that are no weekdays besides weekends and public holidays, mm-dd: Grundlovsdag, 24 and 31 December, as the
    amendment of 2008 named them (the current definition was not seen)."""

    deadline_remainder: Remainder = Remainder.NEXT_MORNING
    """When a request is due whose two hours do not fit before 16: the rest from 07 of the next working day, or 09."""

    deadline_before_opening: BeforeOpening = BeforeOpening.SAME_DAY
    """Whether a request that came on a working day before 07 is due at 09 of the same or the next working day."""

    deadline_day_end: DayEnd = DayEnd.CLOSING
    """When a deadline of whole working days ends on its last day."""

    free_renewal_days: int = Field(default=0, ge=0)
    """How long after a request the same area may be asked about again without a price, days (an older act gave half a
    year, § 9(4); the present one was not seen)."""

    keep_requests_years: int = Field(default=10, ge=1)
    """How long after its last day a request is kept before what it says is erased, years (an older act, § 9 f)."""

    adjacent_works_m: float = Field(default=20.0, ge=0.0, le=200.0)
    """How near each other two works that take something of the road are told as adjacent, m (GIPOD searches a street 20 m
    from its centre line)."""

    clip_buffer_m: float = Field(default=0.0, ge=0.0, le=50.0)
    """How far outside the dig area lines are still delivered, m. The official register accepts nothing outside the
    area (rule UtilityGeometryWithinDiggingAreaRule), so 0 is the default."""

    deliver_bands: bool = True
    """Whether lines are delivered that are drawn outside the dig area and may lie in it by their band, as far as that is
    wide. The official register accepts nothing outside the area: set false for answers that are sent there."""

    unknown_accuracy_m: float = Field(default=5.0, gt=2.0, le=20.0)
    """What a position may be off, m, whose accuracy class is more than 2.00 m or unknown: half the band that packages
    show, besides the line's own size (no rule that we have read bounds them; 5 m is 1 mm on a sheet of 1:5,000)."""

    terrain_model: Path | None = None
    """Terrain model for the depth of cover: a GeoTIFF, a folder of them, or a VRT; EPSG:7416. None: no depth of cover."""

    terrain_accuracy_m: float | None = Field(default=None, ge=0.0)
    """What the terrain model's heights may be off, m, as its producer says; the cover's uncertainty is unknown without."""

    terrain_is_dvr90: bool = False
    """Whether terrain files in EPSG:25832 that do not say what their heights are hold metres DVR90."""

    clearances: Path | None = None
    """File of rules of what to keep away from which line: adds to ours, and replaces those of the same id
    (docs/reference/clearances.md). None: ours alone."""

    base_map: Path | None = None
    """Map that is drawn pale below the lines of plans: GeoTIFF of bytes or GeoPackage, EPSG:25832; None: no base map."""
    style_theme: Literal["ler", "klic", "apwa"] = "ler"
    """Whose colours packages are drawn in: `ler`, `klic` (Netherlands) or `apwa` (North America); letters and dashes stay."""

    max_upload_mb: int = Field(default=2048, ge=1)
    """Largest owner's file, MB."""

    auto_approve: Literal["always", "unless-suspicious", "never"] = "unless-suspicious"
    """Whether an uploaded network is published without its owner looking at what it changes."""

    suspicious_removed_share: float = Field(default=0.2, ge=0.0, le=1.0)
    """A replacement that takes away more than this share of the features, or of the length, awaits approval."""

    suspicious_shift_m: float = Field(default=0.3, gt=0.0)
    """A replacement in which most features moved together by this much, m, awaits approval: the coordinates of
    neighbouring systems (ETRS89 and WGS 84) differ by more."""

    suspicious_duplicate_share: float = Field(default=0.2, ge=0.0, le=1.0)
    """A network in which more than this share of the features newly lies exactly on another of its type awaits
    approval: it may have been written twice."""

    keep_versions_days: int = Field(default=365, ge=1)
    """How long a version that has been replaced can still be read, days; one that an answer refers to, for ever."""

    keep_staged_days: int = Field(default=30, ge=1)
    """How long an upload waits for its owner's approval, days."""

    upload_dir: Path | None = None
    """Folder in which owners' files lie while they are sent and checked; None means `uploads` in the home folder."""

    upload_hours: float = Field(default=24.0, gt=0.0)
    """Hours from the announcement of an upload until its file must be whole."""

    upload_keep_hours: float = Field(default=24.0, ge=0.0)
    """Hours that a file is kept after its check has ended, for the map of its report."""

    http_host: str = "127.0.0.1"
    """Address on which `ler serve` listens; outside this machine a proxy with TLS stands before it."""

    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port on which `ler serve` listens; 0 takes a free one."""

    body_timeout_s: float = Field(default=30.0, gt=0.0)
    """Seconds that a caller may be silent in the middle of what it sends."""

    worker_concurrency: int = Field(default=2, ge=1, le=32)
    """Uploads that one worker checks at a time."""

    sweep_s: float = Field(default=15.0, gt=0.0)
    """Seconds between two looks after what has been left lying."""

    # Owners' answers.
    max_answer_mb: int = Field(default=100, ge=1)
    """Largest answer with all its files, MB."""

    answer_link_hours: float = Field(default=240.0, gt=0.0)
    """Hours for which the link in an owner's mail can be used to answer without an account."""

    # Audit trail.
    audit_dir: Path | None = None
    """Folder of the signed checkpoints of the audit trail and their key; `audit` in the home folder when not set. It
    belongs where the database's administrators cannot write."""

    checkpoint_minutes: float = Field(default=60.0, ge=0.0)
    """Minutes between two signed checkpoints of the audit trail."""
    # Access: who calls, and how often.

    public_url: str | None = Field(default=None, pattern=r"^https?://[^/?#]+$")
    """Address under which callers reach the service, without a path: links, logins and the audience of assertions are
    made of it, never of what a caller's headers say. Else the address on which it listens."""

    oidc_issuer: str | None = Field(default=None, pattern=r"^https?://[^?#]+$")
    """Issuer by which people log in (OpenID Connect); https, or http on this machine. None: nobody logs in."""

    oidc_client_id: str = Field(default="ler", min_length=1)
    """How the platform is known to the issuer; it sends people back to PUBLIC_URL/login/callback."""

    oidc_client_secret: SecretStr | None = None
    """The platform's secret at the issuer; None: a public client, which PKCE alone protects."""

    oidc_second_factor: bool = True
    """Whether a login without a second factor is refused."""

    oidc_acr_values: tuple[str, ...] = ()
    """Levels of a login (acr) that count as one with a second factor, as the issuer calls them; they are asked for."""

    oidc_amr_values: tuple[str, ...] = ("mfa",)
    """Methods of a login (amr) of which one counts as a second factor (RFC 8176)."""

    session_hours: float = Field(default=10.0, gt=0.0, le=24.0)
    """Hours after which a person logs in again."""

    session_idle_minutes: float = Field(default=60.0, gt=1.0)
    """Minutes without a call after which a person logs in again."""

    client_token_minutes: int = Field(default=60, ge=1, le=60)
    """Minutes that a token lives that a program gets by its key."""

    reads_per_minute: int = Field(default=3000, ge=1)
    """Calls that read, an organisation a minute."""

    writes_per_minute: int = Field(default=1200, ge=1)
    """Calls that change something, an organisation a minute."""

    parts_per_minute: int = Field(default=6000, ge=1)
    """Parts of files, an organisation a minute."""

    ogc_reads_per_minute: int = Field(default=12_000, ge=1)
    """Pages, features and tiles of the OGC API, an organisation or an address without a token a minute, in each process."""

    ogc_timeout_s: float = Field(default=10.0, gt=0.0)
    """Seconds that one answer of the OGC API may take the database; a heavier question is refused."""

    ogc_reads_at_once: int = Field(default=0, ge=0)
    """Quick questions that the OGC API asks the database at once, in each process; 0: the processors of this machine and
    one. Of a database elsewhere: its processors, and one."""

    ogc_jobs_open: int = Field(default=50, ge=1)
    """Jobs of the OGC API that may wait or run at a time, an organisation."""

    ogc_job_keep_days: int = Field(default=7, ge=1)
    """How long a job of the OGC API and its results are kept, days."""

    refusals_per_minute: int = Field(default=120, ge=1)
    """Refused calls, an organisation or an unknown address a minute, until they are told to wait."""
    # Notices
    smtp_host: str | None = None
    """Server that takes our mail; None means that no mail is sent."""

    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Its port."""

    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection to it is guarded; `none` is for a server on this machine."""

    smtp_user: str | None = None
    """Login there; None means without."""

    smtp_password: SecretStr | None = None
    """Its password."""

    mail_from: str = Field(default="ler@localhost", pattern=r"^[^@\s<>]+@[^@\s<>]+$")
    """Sender of our mails."""

    webhook_loopback: bool = False
    """Whether webhooks may be plain http and go to addresses of this machine and its neighbours. Only for development
    and tests: whoever registers a webhook could otherwise call what only our own machines may."""

    notice_poll_s: float = Field(default=0.5, gt=0.0)
    """Seconds between two looks into the outbox."""

    notice_timeout_s: float = Field(default=15.0, gt=0.0, le=30.0)
    """Seconds that a receiver has for one notice, all in all."""

    notices_at_once: int = Field(default=32, ge=1, le=256)
    """Notices that one worker sends at a time."""

    notice_keep_days: int = Field(default=90, ge=1)
    """Days for which it can be seen what became of a notice that was sent."""

    watch_s: float = Field(default=5.0, gt=0.0)
    """Seconds between two looks at deadlines, and at changes in the areas of valid requests."""

    silence_management_h: float = Field(default=2.0, gt=0.0)
    """Hours of the working clock after its due time until an owner's second contact is told of its silence (the law
    says nothing of it)."""

    silence_operator_h: float = Field(default=9.0, gt=0.0)
    """The same for the operator: a working day."""

    @property
    def band_accuracy_m(self) -> float | None:
        """What a position may be off that nobody bounds, where bands decide what is delivered; None where they do not."""
        return self.unknown_accuracy_m if self.deliver_bands else None

    @property
    def public_address(self) -> str:
        """Under which the service is reached."""
        return self.public_url or f"http://{self.http_host}:{self.http_port}"

    # Packages of requests
    key_dir: Path | None = None
    """Folder of the key that signs packages, made on first use, of the public keys of all that ever did, and of the key
    by which keys of webhooks are kept; `keys` in the home folder when not set. It goes into the backup: without it packages
    that are made again get other bytes, and no webhook is sent until its owner makes another key."""

    package_keys: tuple[str, ...] = ()
    """Public keys, as minisign has them, that `ler package verify` trusts besides those in that folder."""

    package_link_days: int = Field(default=7, ge=1, le=30)
    """Days for which a link to a package can be used without a token, at most: who is sent one on a Friday has it on the
    next; who needs it longer should see whether there is a newer package."""

    longest_stream_s: float = Field(default=600.0, gt=0.0)
    """How long a stream of events stays open, s; its reader then takes it up anew where it was (`Last-Event-ID`)."""

    streams_per_organisation: int = Field(default=20, ge=1)
    """Streams of a request's events that one organisation may have open at a time, for each process of the service."""

    @property
    def key_folder(self) -> Path:
        """Where the keys of packages are."""
        return self.key_dir or self.home / "keys"

    @property
    def blob_folder(self) -> Path:
        """Where files are kept."""
        return self.blob_dir or self.home / "blobs"
