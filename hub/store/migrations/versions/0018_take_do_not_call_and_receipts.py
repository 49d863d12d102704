"""Take what is said by identifiers, do-not-call registers, and receipts of suppression lists."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def _texts(*names, nullable=False):
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _number(name):
    return sa.Column(name, sa.BigInteger(), nullable=False)


def upgrade() -> None:
    op.create_table('identifier_bar',
    *_texts('hash', 'bar', 'at', 'via'),
    sa.PrimaryKeyConstraint('hash', 'bar'),
    )
    op.create_table('call_register',
    *_texts('name', 'region'),
    _number('version'),
    *_texts('made_at', 'imported_at', 'imported_by', 'origin'),
    _number('numbers'),
    sa.PrimaryKeyConstraint('name'),
    )
    op.create_table('registered_number',
    *_texts('hash', 'register'),
    _number('version'),
    *_texts('added_at'),
    sa.PrimaryKeyConstraint('hash', 'register', 'version'),
    )
    op.create_index(
        op.f('ix_registered_number_register_version'), 'registered_number', ['register', 'version'], unique=False
    )
    op.create_table('suppression_export',
    *_texts('id', 'system', 'channel', 'data_use', 'made_at'),
    _number('rows'),
    *_texts('acknowledged_at', 'acknowledged_by', nullable=True),
    sa.PrimaryKeyConstraint('id'),
    )
    op.create_index(
        op.f('ix_suppression_export_system_channel_data_use'),
        'suppression_export', ['system', 'channel', 'data_use'], unique=False,
    )


def downgrade() -> None:
    for name in ('suppression_export', 'registered_number', 'call_register', 'identifier_bar'):
        op.drop_table(name)
