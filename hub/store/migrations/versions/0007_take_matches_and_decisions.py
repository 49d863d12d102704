"""Take profiles of parties, what they are compared by, which may be the same, and what stewards decided."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('profile',
    sa.Column('id', _serial, autoincrement=True, nullable=False),
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('party_id', name=op.f('uq_profile_party_id')),
    sqlite_autoincrement=True,
    )
    op.create_table('blocking_key',
    sa.Column('key', sa.BigInteger(), nullable=False),
    sa.Column('profile_id', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'profile_id'),
    sqlite_with_rowid=False,
    )
    op.create_table('edge',
    sa.Column('low', sa.BigInteger(), nullable=False),
    sa.Column('high', sa.BigInteger(), nullable=False),
    sa.Column('weight', sa.Double(), nullable=False),
    sa.Column('joins', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('low', 'high'),
    sqlite_with_rowid=False,
    )
    op.create_index(op.f('ix_edge_high'), 'edge', ['high'], unique=False)
    op.create_table('decision',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('left_id', sa.Text(), nullable=False),
    sa.Column('right_id', sa.Text(), nullable=False),
    sa.Column('holds_to', sa.Double(), nullable=True),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('undone_at', sa.Text(), nullable=True),
    sa.Column('undone_by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    for column in ('left_id', 'right_id', 'act'):
        op.create_index(op.f(f'ix_decision_{column}'), 'decision', [column], unique=False)


def downgrade() -> None:
    for table in ('decision', 'edge', 'blocking_key', 'profile'):
        op.drop_table(table)
