"""Small programs that work as four real systems do. They know nothing of S3 or of prefixfs: each gets a directory, and uses it."""
