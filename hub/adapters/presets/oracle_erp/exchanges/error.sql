-- An upgrade took a column away.
ALTER TABLE hz_parties DROP COLUMN person_middle_name;
