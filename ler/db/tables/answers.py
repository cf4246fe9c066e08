"""What comes with owners' own answers: their files, and the links by which an owner without a system answers."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from ler.db.tables.base import created_at_column, id_column, metadata, uuid_column

answer_attachment = Table(
    "answer_attachment",
    metadata,
    uuid_column("answer_id"),
    uuid_column("request_id"),
    uuid_column("requester_id"),
    uuid_column("owner_id"),
    # Within the owner's folder of the package: what LER calls sti of an Informationsressource.
    Column("path", Text, nullable=False),
    # A value of the LER code list Format, and its media type.
    Column("format", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    # Of the file in the blob store.
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    # Of the request's addresses, that of whose house connection it is a sketch.
    uuid_column("address_id", nullable=True),
    PrimaryKeyConstraint("request_id", "answer_id", "path"),
    # Requester and owner written beside each file, by which rows are guarded, are those of the answer.
    ForeignKeyConstraint(
        ["answer_id", "request_id", "requester_id", "owner_id"],
        [
            "ler.owner_answer.id",
            "ler.owner_answer.request_id",
            "ler.owner_answer.requester_id",
            "ler.owner_answer.owner_id",
        ],
    ),
    CheckConstraint("path <> '' AND path !~ '(^/|\\\\|(^|/)\\.\\.?(/|$))'", name="path"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("size_bytes > 0", name="size_bytes"),
)

answer_link = Table(
    "answer_link",
    metadata,
    id_column(),
    uuid_column("owner_request_id"),
    uuid_column("owner_id"),
    # The secret itself is in the owner's mail and nowhere else.
    Column("secret_sha256", Text, nullable=False),
    created_at_column(),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["owner_request_id"], ["ler.owner_request.id"]),
    ForeignKeyConstraint(["owner_id"], ["ler.organisation.id"]),
    # Serves ler.find_answer_link.
    UniqueConstraint("secret_sha256"),
    CheckConstraint("secret_sha256 ~ '^[0-9a-f]{64}$'", name="secret_sha256"),
    CheckConstraint("expires_at > created_at", name="expires_at"),
)
