"""Keep which fields of records retention emptied, by keyed hashes of what they said."""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('emptied',
    sa.Column('head_id', sa.BigInteger(), nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('head_id', 'field', 'hash'),
    )


def downgrade() -> None:
    op.drop_table('emptied')
