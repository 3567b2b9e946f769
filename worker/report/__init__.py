"""Reports for people: what a period came to, put together once and told as a page, as CSV, as JSON or in a terminal."""
