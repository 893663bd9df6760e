"""The doing room: makes decisions durable."""
