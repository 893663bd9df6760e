"""Other people's databases, spoken to through SQLAlchemy; imported when a step first needs it."""
