"""What pages show, made from what was read: pure, without a request and without markup of their own."""
