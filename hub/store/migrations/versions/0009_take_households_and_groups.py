"""Take homes, who lives with whom, and which organisations stand above others."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('home',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('stated_at', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('customer_id')
    )
    op.create_table('home_key',
    sa.Column('key', sa.BigInteger(), nullable=False),
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'customer_id'),
    sqlite_with_rowid=False,
    )
    op.create_index(op.f('ix_home_key_customer_id'), 'home_key', ['customer_id'], unique=False)
    op.create_table('housemate',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('other_id', sa.Text(), nullable=False),
    sa.Column('address', sa.Boolean(), nullable=False),
    sa.Column('family_name', sa.Boolean(), nullable=False),
    sa.Column('contact', sa.Boolean(), nullable=False),
    sa.Column('account', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('customer_id', 'other_id')
    )
    op.create_table('registration',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('key', sa.BigInteger(), nullable=False),
    sa.Column('is_head', sa.Boolean(), nullable=False),
    sa.Column('stated_at', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('customer_id', 'key')
    )
    op.create_index(op.f('ix_registration_key'), 'registration', ['key'], unique=False)
    op.create_table('parent',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('parent_id', sa.Text(), nullable=False),
    sa.Column('declared', sa.Boolean(), nullable=False),
    sa.Column('registered', sa.Boolean(), nullable=False),
    sa.Column('stated_at', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('customer_id')
    )
    op.create_index(op.f('ix_parent_parent_id'), 'parent', ['parent_id'], unique=False)
    op.create_table('ancestor',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('ancestor_id', sa.Text(), nullable=False),
    sa.Column('declared', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('customer_id', 'level')
    )
    op.create_index(op.f('ix_ancestor_ancestor_id_level'), 'ancestor', ['ancestor_id', 'level'], unique=False)


def downgrade() -> None:
    for table in ('ancestor', 'parent', 'registration', 'housemate', 'home_key', 'home'):
        op.drop_table(table)
