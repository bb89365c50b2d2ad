"""Alembic's entry: runs the revisions on the connection that the store hands over."""

from __future__ import annotations

from alembic import context

from ienfd.study.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
context.run_migrations()
