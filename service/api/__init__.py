"""The HTTP interface; it plans and tells, and never segments."""
