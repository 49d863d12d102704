"""Documents answered twice: with the database's JSON, and by an executor."""
