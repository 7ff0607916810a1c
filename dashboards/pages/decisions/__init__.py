"""Decisions: what is to be decided, what was, and what became of it; one of them with all that it rests on. Pure."""
