"""Schema, migrations, repositories and read models: the only place with psycopg and SQL."""
