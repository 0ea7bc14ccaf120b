"""A person's look at a shoot: its folder read, its report, and decisions by hand."""
