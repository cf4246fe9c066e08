"""The composition root: command line, private database cluster, demonstration, and later HTTP."""
