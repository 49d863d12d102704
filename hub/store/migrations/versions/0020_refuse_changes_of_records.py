"""Refuse, in the database, that a version of a source's record is changed; it may only be emptied or go."""

from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

_REFUSED = 'a version of a source record is never changed: a correction is a new version'

# What retention leaves of a version (`empty_versions` of hub.adapters.aging).
_EMPTIED = "NEW.payload = 'null' AND NEW.position = '' AND NEW.hash = 'deleted'"
_KEPT = ('id', 'head_id', 'observed_at', 'run_id', 'landed_at')

_FUNCTION = f"""
CREATE FUNCTION refuse_change_of_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        same = ' AND '.join(f'NEW.{name} = OLD.{name}' for name in _KEPT)
        op.execute(_FUNCTION)
        op.execute(
            f'CREATE TRIGGER record_stays BEFORE UPDATE ON record FOR EACH ROW WHEN (NOT ({same} AND {_EMPTIED}))'
            ' EXECUTE FUNCTION refuse_change_of_record()'
        )
        op.execute(
            'CREATE TRIGGER record_is_not_cleared BEFORE TRUNCATE ON record FOR EACH STATEMENT'
            ' EXECUTE FUNCTION refuse_change_of_record()'
        )
    else:
        same = ' AND '.join(f'NEW.{name} IS OLD.{name}' for name in _KEPT)
        op.execute(
            f'CREATE TRIGGER record_stays BEFORE UPDATE ON record WHEN NOT ({same} AND {_EMPTIED})'
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER record_stays ON record')
        op.execute('DROP TRIGGER record_is_not_cleared ON record')
        op.execute('DROP FUNCTION refuse_change_of_record()')
    else:
        op.execute('DROP TRIGGER record_stays')
