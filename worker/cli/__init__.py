"""The commands, one file a group; `worker.main` is their table of contents."""
