"""Keep what was configured when, and who looked at which grant."""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _texts(*names: str) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table('configuration',
    sa.Column('id', _serial, autoincrement=True, nullable=False),
    *_texts('kind', 'sha256', 'content', 'since'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_configuration_kind_id'), 'configuration', ['kind', 'id'], unique=False)
    op.create_table('attestation',
    sa.Column('id', _serial, autoincrement=True, nullable=False),
    *_texts('grant_id', 'verdict', 'subject', 'policy_sha256', 'event_id', 'at'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_attestation_grant_id_id'), 'attestation', ['grant_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_table('attestation')
    op.drop_table('configuration')
