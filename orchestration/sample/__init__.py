"""A generated example company: a B2B sales department whose truth is known to a judge."""
