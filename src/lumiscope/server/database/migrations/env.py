"""What Alembic runs: the connection comes from `migrate`, with its transaction."""

from alembic import context

from lumiscope.server.database import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
context.run_migrations()
