"""Take privacy requests, what the law has kept of the erased, and who tried to come back."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def _text(*names: str, nullable: bool = False) -> list[sa.Column]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def upgrade() -> None:
    op.create_table('privacy_request',
    *_text('id', 'kind', 'law', 'state', 'channel', 'received_at', 'opened_by'),
    *_text('customer_id', nullable=True),
    sa.Column('is_agent', sa.Boolean(), server_default='0', nullable=False),
    *_text('contact', 'details', 'method', 'verified_by', 'verified_at', nullable=True),
    sa.Column('agent_checked', sa.Boolean(), server_default='0', nullable=False),
    *_text('extended_at', 'fee', 'erasure_id', 'outcome', 'closed_at', 'closed_by', nullable=True),
    sa.PrimaryKeyConstraint('id'),
    )
    for column in ('state', 'customer_id'):
        op.create_index(op.f(f'ix_privacy_request_{column}'), 'privacy_request', [column], unique=False)
    op.create_table('privacy_pause',
    sa.Column('id', _serial, autoincrement=True, nullable=False),
    *_text('request_id', 'reason', 'since'),
    *_text('until', nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_privacy_pause_request_id'), 'privacy_pause', ['request_id'], unique=False)
    op.create_table('privacy_step',
    *_text('request_id'),
    sa.Column('number', sa.BigInteger(), nullable=False),
    *_text('place', 'place_kind', 'action', 'way', 'owner', 'state'),
    *_text('proof', 'done_by', 'done_at', nullable=True),
    sa.PrimaryKeyConstraint('request_id', 'number'),
    )
    op.create_table('privacy_retained',
    sa.Column('id', _serial, autoincrement=True, nullable=False),
    *_text('request_id', 'rule', 'purpose', 'type', 'content', 'until'),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_privacy_retained_request_id'), 'privacy_retained', ['request_id'], unique=False)
    op.create_table('resurrection',
    *_text('cause', 'source', 'stream'),
    sa.Column('count', sa.BigInteger(), nullable=False),
    *_text('first_at', 'last_at'),
    sa.PrimaryKeyConstraint('cause', 'source', 'stream'),
    )
    op.create_table('rectified',
    *_text('request_id', 'party_id', 'property', 'source', 'stream', 'wrong'),
    *_text('mended_at', nullable=True),
    sa.PrimaryKeyConstraint('request_id', 'party_id', 'property'),
    )
    for column in ('source', 'party_id'):
        op.create_index(op.f(f'ix_rectified_{column}'), 'rectified', [column], unique=False)


def downgrade() -> None:
    for table in (
        'rectified', 'resurrection', 'privacy_retained', 'privacy_step', 'privacy_pause', 'privacy_request'
    ):
        op.drop_table(table)
