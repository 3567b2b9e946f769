"""The read API, `/api/v1`: what the command line prints, and what operators do there, as JSON over HTTP."""
