-- Somebody took a column away.
ALTER TABLE Person DROP COLUMN pers_salutation;
