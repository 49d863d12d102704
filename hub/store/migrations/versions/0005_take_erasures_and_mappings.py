"""Take erasures, mappings by version, and the records that stated something of a party before."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('run_stream', sa.Column('suppressed', sa.BigInteger(), server_default='0', nullable=False))
    op.add_column('run_stream', sa.Column('mapping_version', sa.Text(), nullable=True))
    op.create_table('mapping',
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('stream', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('since_run_id', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('source', 'stream', 'version')
    )
    op.create_table('former',
    sa.Column('party_id', sa.Text(), nullable=False),
    sa.Column('head_id', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('party_id', 'head_id')
    )
    op.create_index(op.f('ix_former_head_id'), 'former', ['head_id'], unique=False)
    op.create_table('tombstone',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('erasure_id', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('customer_id')
    )
    op.create_index(op.f('ix_tombstone_erasure_id'), 'tombstone', ['erasure_id'], unique=False)
    op.create_table('suppression',
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('erasure_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('hash')
    )
    op.create_index(op.f('ix_suppression_erasure_id'), 'suppression', ['erasure_id'], unique=False)


def downgrade() -> None:
    op.drop_table('suppression')
    op.drop_table('tombstone')
    op.drop_table('former')
    op.drop_table('mapping')
    op.drop_column('run_stream', 'mapping_version')
    op.drop_column('run_stream', 'suppressed')
