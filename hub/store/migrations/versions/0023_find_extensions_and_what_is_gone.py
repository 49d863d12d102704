"""Find telephone numbers with an extension, and records that are gone, by indexes of their own."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

_EXTENDED = sa.text("scheme = 'phone' AND value <> replace(value, ';', '')")
_GONE = sa.text("state IN ('deleted', 'discarded')")


def upgrade() -> None:
    op.create_index(
        'ix_identifier_extended', 'identifier', ['value'], unique=False, sqlite_where=_EXTENDED, postgresql_where=_EXTENDED
    )
    op.create_index(
        'ix_record_head_gone', 'record_head', ['source', 'stream'], unique=False, sqlite_where=_GONE, postgresql_where=_GONE
    )


def downgrade() -> None:
    op.drop_index('ix_record_head_gone', table_name='record_head')
    op.drop_index('ix_identifier_extended', table_name='identifier')
