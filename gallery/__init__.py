"""All graphs of the course on one page, to look at: `make gallery`."""
