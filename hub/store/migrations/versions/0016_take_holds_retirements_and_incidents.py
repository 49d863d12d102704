"""Take legal holds, what retention has erased, and the register of incidents."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def _texts(*names, nullable=False):
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def upgrade() -> None:
    op.create_table('legal_hold',
    *_texts('id', 'matter', 'reason', 'owner', 'until', 'placed_at', 'placed_by'),
    *_texts('released_at', 'released_by', nullable=True),
    sa.PrimaryKeyConstraint('id'),
    )
    op.create_index(op.f('ix_legal_hold_released_at'), 'legal_hold', ['released_at'], unique=False)
    op.create_table('held_party',
    *_texts('hold_id', 'party_id', 'customer_id'),
    sa.PrimaryKeyConstraint('hold_id', 'party_id'),
    )
    op.create_index(op.f('ix_held_party_party_id'), 'held_party', ['party_id'], unique=False)
    op.create_table('retirement', *_texts('erasure_id', 'at'), sa.PrimaryKeyConstraint('erasure_id'))
    op.create_table('past_activity',
    *_texts('party_id', 'type', 'property', 'at'),
    sa.PrimaryKeyConstraint('party_id', 'type', 'property'),
    )
    op.create_table('incident',
    *_texts('id', 'opened_at', 'opened_by', 'aware_at', 'nature', 'consequences', 'measures', 'owner', 'scope', 'found'),
    sa.PrimaryKeyConstraint('id'),
    )
    op.create_index(op.f('ix_incident_aware_at'), 'incident', ['aware_at'], unique=False)
    op.create_table('incident_customer',
    *_texts('incident_id', 'customer_id'),
    sa.PrimaryKeyConstraint('incident_id', 'customer_id'),
    )
    op.create_index(op.f('ix_incident_customer_customer_id'), 'incident_customer', ['customer_id'], unique=False)
    op.create_table('incident_step',
    *_texts('incident_id'),
    sa.Column('place', sa.Integer(), nullable=False),
    *_texts('kind', 'at', 'noted_at', 'noted_by', 'note'),
    sa.PrimaryKeyConstraint('incident_id', 'place'),
    )


def downgrade() -> None:
    for name in (
        'incident_step', 'incident_customer', 'incident', 'past_activity', 'retirement', 'held_party', 'legal_hold'
    ):
        op.drop_table(name)
