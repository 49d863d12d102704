"""Keep how far a stream is read again from its beginning."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('backfill',
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('stream', sa.Text(), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.Column('since', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('source', 'stream'),
    )


def downgrade() -> None:
    op.drop_table('backfill')
