"""Take calls, and find phone numbers by their last digits."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0009'
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
_phones = {f'{name}_where': sa.text("scheme = 'phone'") for name in ('sqlite', 'postgresql')}


def upgrade() -> None:
    op.create_table('call',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('pbx', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=True),
    sa.Column('extension', sa.Text(), nullable=True),
    sa.Column('facts', sa.Text(), nullable=False),
    sa.Column('began_at', sa.Text(), nullable=False),
    sa.Column('answered_at', sa.Text(), nullable=True),
    sa.Column('ended_at', sa.Text(), nullable=True),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('customer_id', sa.Text(), nullable=True),
    sa.Column('level', sa.Integer(), server_default='0', nullable=False),
    sa.Column('method', sa.Text(), nullable=True),
    sa.Column('verified_by', sa.Text(), nullable=True),
    sa.Column('party_id', sa.Text(), nullable=True),
    sa.Column('wrapped_at', sa.Text(), nullable=True),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('pbx', 'key', name=op.f('uq_call_pbx_key')),
    )
    for column in ('seq', 'number', 'customer_id', 'began_at'):
        op.create_index(op.f(f'ix_call_{column}'), 'call', [column], unique=False)
    op.create_table('call_pick',
    sa.Column('id', _serial, autoincrement=True, nullable=False),
    sa.Column('number_key', sa.Text(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('call_id', sa.Text(), nullable=False),
    sa.Column('picked_by', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('undone_at', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True,
    )
    for column in ('number_key', 'customer_id'):
        op.create_index(op.f(f'ix_call_pick_{column}'), 'call_pick', [column], unique=False)
    tail = sa.text('substr(value, length(value) - 6)')
    op.create_index('ix_identifier_tail', 'identifier', [tail], unique=False, **_phones)


def downgrade() -> None:
    op.drop_index('ix_identifier_tail', 'identifier')
    op.drop_table('call_pick')
    op.drop_table('call')
