"""Remember whose the parties were that are gone."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('former_party',
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('party_id')
    )
    op.create_index(op.f('ix_former_party_customer_id'), 'former_party', ['customer_id'], unique=False)


def downgrade() -> None:
    op.drop_table('former_party')
