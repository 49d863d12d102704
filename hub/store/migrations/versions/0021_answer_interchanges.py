"""Remember which interchanges of trading partners were answered, and by which control numbers."""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('edi_answer',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('partner', sa.Text(), nullable=False),
    sa.Column('control', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('taken', sa.Boolean(), nullable=False),
    sa.Column('resent', sa.Text(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('numbers', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.Text(), nullable=False),
    sa.Column('written_at', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('source', 'path', 'state', 'place', name=op.f('uq_edi_answer_source_path_state_place')),
    sqlite_autoincrement=True
    )
    op.create_index(op.f('ix_edi_answer_source_partner_control'), 'edi_answer', ['source', 'partner', 'control'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_edi_answer_source_partner_control'), table_name='edi_answer')
    op.drop_table('edi_answer')
