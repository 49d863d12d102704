"""Take findings about where personal data lies."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('finding',
    sa.Column('id', sa.Text(), nullable=False),
    *(sa.Column(name, sa.Text(), nullable=False) for name in ('kind', 'place', 'field', 'detected', 'category')),
    sa.Column('hits', sa.BigInteger(), nullable=False),
    sa.Column('sampled', sa.BigInteger(), nullable=False),
    sa.Column('confidence', sa.Double(), nullable=False),
    sa.Column('first_seen_at', sa.Text(), nullable=False),
    sa.Column('last_seen_at', sa.Text(), nullable=False),
    sa.Column('run_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=True),
    sa.Column('decided_at', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    )
    op.create_index(op.f('ix_finding_place'), 'finding', ['place'], unique=False)


def downgrade() -> None:
    op.drop_table('finding')
