"""The routes of the HTTP service, thin: they read what a caller sends, call a service, and show what it gives."""
